"""Single requests, as httpx2 makes them but for the certificates.

To load them takes longer than what is asked of a server of ours.
"""

from functools import partial

import httpx2

get = partial(httpx2.get, verify=False)
post = partial(httpx2.post, verify=False)
request = partial(httpx2.request, verify=False)
