"""Ports: what the application requires of the provider and of the read model."""

from application.ports.call_requests import (
    Accepted as Accepted,
)
from application.ports.call_requests import (
    AccountRefused as AccountRefused,
)
from application.ports.call_requests import (
    CallOrder as CallOrder,
)
from application.ports.call_requests import (
    ContactRefused as ContactRefused,
)
from application.ports.call_requests import (
    NeverLeft as NeverLeft,
)
from application.ports.call_requests import (
    NotNow as NotNow,
)
from application.ports.call_requests import (
    Outcome as Outcome,
)
from application.ports.call_requests import (
    RequestRefused as RequestRefused,
)
from application.ports.call_requests import (
    Unknown as Unknown,
)
from application.ports.provider import (
    AssistantChanges as AssistantChanges,
)
from application.ports.provider import (
    AssistantFields as AssistantFields,
)
from application.ports.provider import (
    CallTexts as CallTexts,
)
from application.ports.provider import (
    ListedAssistant as ListedAssistant,
)
from application.ports.provider import (
    PhoneNumber as PhoneNumber,
)
from application.ports.provider import (
    Provider as Provider,
)
from application.ports.provider import (
    ProviderAssistant as ProviderAssistant,
)
from application.ports.provider import (
    ProviderRefused as ProviderRefused,
)
from application.ports.provider import (
    ProviderTexts as ProviderTexts,
)
from application.ports.provider import (
    ProviderUnavailable as ProviderUnavailable,
)
from application.ports.provider_facts import (
    CallPhase as CallPhase,
)
from application.ports.provider_facts import (
    CallReport as CallReport,
)
from application.ports.provider_facts import (
    Origin as Origin,
)
from application.ports.provider_facts import (
    ProviderCall as ProviderCall,
)
from application.ports.provider_facts import (
    ProviderMessage as ProviderMessage,
)
from application.ports.provider_facts import (
    ToolCall as ToolCall,
)
from application.ports.read_model import (
    CallLookup as CallLookup,
)
from application.ports.read_model import (
    ContactLookup as ContactLookup,
)
from application.ports.read_model import (
    ReadModel as ReadModel,
)
