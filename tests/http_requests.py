"""Single requests, as httpx2 makes them but for the certificates and the time limit.

To load the certificates takes longer than what is asked of a server of ours. A busy
machine needs more than the library's five seconds for an answer.
"""

from functools import partial

import httpx2

SECONDS = 30.0

get = partial(httpx2.get, verify=False, timeout=SECONDS)
post = partial(httpx2.post, verify=False, timeout=SECONDS)
request = partial(httpx2.request, verify=False, timeout=SECONDS)
