"""Recordings: stable names that cannot be fetched, and signed URLs that can."""

import hmac
import io
import wave
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import NAMESPACE_URL, uuid5

VALID_FOR = timedelta(hours=1)
SAMPLES, SECONDS = 8000, 12


@dataclass(frozen=True)
class Recordings:
    """Builds the URLs of recordings under `base_url`."""

    base_url: str
    seed: int
    now: Callable[[], datetime]

    def mono(self, call_id: str) -> str:
        """Return the unsigned URL, which cannot be fetched."""
        return self._plain(call_id, "mono")

    def signed(self, call_id: str, kind: str = "mono") -> str:
        """Return a signed URL, which can be fetched for VALID_FOR."""
        expires = int((self.now() + VALID_FOR).timestamp() * 1000)
        name = self._name(call_id, kind)
        query = f"X-Amz-Expires={expires}&X-Amz-Signature={self._sign(name, expires)}"
        return f"{self._plain(call_id, kind)}?{query}"

    def opens(self, name: str, expires: str, signature: str) -> bool:
        """Return whether the parts of a signed URL are authentic and still valid."""
        if not expires.isdigit() or int(expires) < self.now().timestamp() * 1000:
            return False
        return hmac.compare_digest(self._sign(name, int(expires)), signature)

    def artifact(self, call_id: str) -> dict[str, Any]:
        """Return the recordings as the artifact of a report contains them."""
        mono, stereo = self.mono(call_id), self._plain(call_id, "stereo")
        return {
            "recordingUrl": mono,
            "stereoRecordingUrl": stereo,
            "recording": {
                "stereoUrl": stereo,
                "mono": {
                    "combinedUrl": mono,
                    "assistantUrl": self._plain(call_id, "assistant-mono"),
                    "customerUrl": self._plain(call_id, "customer-mono"),
                },
            },
            "presignedMonoUrl": self.signed(call_id),
            "presignedStereoUrl": self.signed(call_id, "stereo"),
            "presignedUrlsExpiresAt": (self.now() + VALID_FOR).isoformat(),
        }

    def _plain(self, call_id: str, kind: str) -> str:
        return f"{self.base_url}/storage/{self._name(call_id, kind)}"

    def _name(self, call_id: str, kind: str) -> str:
        return f"{call_id}-{uuid5(NAMESPACE_URL, call_id + kind)}-{kind}.wav"

    def _sign(self, name: str, expires: int) -> str:
        key = f"recordings-{self.seed}".encode()
        return hmac.digest(key, f"{name}/{expires}".encode(), "sha256").hex()


@cache
def some_silence() -> bytes:
    """Return a WAV file of SECONDS of silence: 8 kHz, mono, one byte a sample."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(1)
        sound.setframerate(SAMPLES)
        sound.writeframes(b"\x80" * SAMPLES * SECONDS)
    return file.getvalue()
