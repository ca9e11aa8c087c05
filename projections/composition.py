"""Composition: builds the stores, services and lookups that every process needs.

The entry points (`interfaces/asgi.py`, `interfaces/cli`, `scheduler/__main__.py`) and
the tests build their objects here and state only what differs: the provider adapter,
the reader of its messages, the clock and the source of the read model's position.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from time import monotonic
from typing import Any, TypedDict
from uuid import UUID, uuid4

from application.app import AutoLynx
from application.assistants import AssistantService
from application.calling_rules.loader import SHIPPED
from application.calling_rules.source import RuleBookSource
from application.calls.call_gate import REQUEST_LIMIT, CallGate
from application.calls.call_service import CallService
from application.calls.called_numbers import AdoptedNumbers
from application.calls.claims import ClaimService
from application.calls.group_gates import GroupGates
from application.calls.group_withholding import GroupWithholding
from application.campaigns.campaigns import CampaignService
from application.campaigns.forecasts import ForecastService
from application.campaigns.single_test_call import TestCallService
from application.configuration import Configuration, FirstSettings
from application.contacts.contact_grouping import ContactGrouping
from application.contacts.contact_service import ContactService
from application.contacts.files.uploads import Upload, Uploads
from application.contacts.imports import ImportService
from application.contacts.planned_calls import PlannedCallService
from application.contacts.redials import STAGED_FOR, RedialService
from application.contacts.withholding import WithholdingService
from application.event_context import EventContext
from application.installation_key import InstallationKey
from application.members.access import AccessService
from application.members.members import MemberService
from application.numbers import NumberService
from application.ports import Provider, ProviderMessage, ReadModel
from application.random_bytes import random_bytes
from application.settings import SettingsService
from application.suppression_lists.service import SuppressionListService
from application.webhook_endpoints import WebhookEndpointService
from domain.calls.recording_url import RecordingUrls
from domain.settings import SettingsValues
from projections.contacts.redials import RedialStaging
from projections.dialability import DialabilityReader
from projections.forecasts.reader import ForecastReader
from projections.lookups import Lookups
from projections.stores import Stores
from storage.access.sessions import (
    LINK_LIFE,
    Credentials,
)
from storage.vault.reception import receive_built
from storage.vault.uploads import NewUpload

ADMINS_SECONDS = 2.0
"""How long a list of admins may wait for the read model to include the whole log."""


class ConfiguredFields(TypedDict):
    """What a configuration states about `Components`."""

    first_settings: SettingsValues
    recording_urls: RecordingUrls
    rule_folders: tuple[Path, ...]
    any_alert_address: bool


def configured_fields(configuration: Configuration) -> ConfiguredFields:
    """Return the fields of `Components` that depend on the configuration only.

    Raises Invalid if a configured first setting is out of bounds.
    """
    return {
        "first_settings": FirstSettings().values(),
        "recording_urls": RecordingUrls(configuration.vapi_base_url),
        "rule_folders": configuration.rule_folders,
        "any_alert_address": configuration.alert_any_address,
    }


@dataclass(frozen=True, kw_only=True)
class Components(Stores):
    """Stores, services and lookups over one database, each built at its first use.

    `dataclasses.replace` returns a copy with another provider, clock or log whose
    services are built for it.
    """

    app: AutoLynx
    read_model: ReadModel
    provider: Provider
    read_message: Callable[..., ProviderMessage]
    """Parses the body of a webhook; takes `recordings` as well."""
    now: Callable[[], datetime]
    random_bytes: Callable[[int], bytes] = random_bytes
    first_settings: SettingsValues = field(default_factory=SettingsValues)
    """Settings until somebody changes them."""
    recording_urls: RecordingUrls = field(default_factory=RecordingUrls)
    rule_folders: tuple[Path, ...] = (SHIPPED,)
    """Folders of the calling rules."""
    request_limit: timedelta = REQUEST_LIMIT
    """How long a request to the provider may last."""
    any_alert_address: bool = False
    """Whether alerts and webhooks may be sent to link-local and metadata addresses."""

    @cached_property
    def context(self) -> EventContext:
        return EventContext(
            now=self.now,
            new_id=uuid4,
            random_bytes=self.random_bytes,
            provider_actor=self.provider.actor,
        )

    # --- Services -----------------------------------------------------------------

    @cached_property
    def lookups(self) -> Lookups:
        return Lookups(self.reading, self.vault)

    @cached_property
    def message_reader(self) -> Callable[[dict[str, Any]], ProviderMessage]:
        return partial(self.read_message, recordings=self.recording_urls)

    @cached_property
    def calls(self) -> CallService:
        return CallService(
            app=self.app,
            context=self.context,
            vault=self.vault,
            contact_lookup=self.lookups,
            call_lookup=self.lookups,
            read_message=self.message_reader,
            installation_key=self.installation_key,
            gate=self.gate,
        )

    @cached_property
    def gate(self) -> CallGate:
        return CallGate(
            rule_book=self.rule_book.current,
            lists=self.suppression_blocks,
            first_settings=self.first_settings,
            request_limit=self.request_limit,
        )

    @cached_property
    def installation_key(self) -> InstallationKey:
        return InstallationKey(self.app, self.context, self.vault)

    @cached_property
    def withholding(self) -> WithholdingService:
        """Finishes waiting contacts of suppressed numbers."""
        return WithholdingService(
            self.app, self.context, self.lookups, self.suppression_blocks
        )

    @cached_property
    def group_gates(self) -> GroupGates:
        """Decides once for all contacts of a group."""
        return GroupGates(
            self.rule_book.current, self.first_settings, self.request_limit
        )

    @cached_property
    def dialability(self) -> DialabilityReader:
        """Counts the contacts that may be called, now and in the next hours."""
        return DialabilityReader(
            rule_book=self.rule_book.current,
            first_settings=self.first_settings,
            blocks=self.suppression_blocks,
            number_ids=self.installation_key.number_ids,
            request_limit=self.request_limit,
        )

    @cached_property
    def forecast_reader(self) -> ForecastReader:
        """Forecasts campaigns and drafts."""
        return ForecastReader(
            rule_book=self.rule_book.current,
            first_settings=self.first_settings,
            dialability=self.dialability,
            request_limit=self.request_limit,
        )

    @cached_property
    def forecasts(self) -> ForecastService:
        """Stores forecasts and their scores."""
        return ForecastService(self.app, self.context)

    @cached_property
    def grouping(self) -> ContactGrouping:
        return ContactGrouping(self.app, self.context)

    @cached_property
    def group_withholding(self) -> GroupWithholding:
        """Finishes waiting contacts of groups that are never called."""
        return GroupWithholding(self.app, self.context, self.group_gates)

    @cached_property
    def numbers(self) -> NumberService:
        return NumberService(self.app, self.context, self.installation_key)

    @cached_property
    def campaigns(self) -> CampaignService:
        return CampaignService(
            app=self.app,
            context=self.context,
            calls=self.calls,
            call_lookup=self.lookups,
            longest_call_seconds=self.provider.longest_call_seconds,
        )

    @cached_property
    def contacts(self) -> ContactService:
        """Commands of members about one contact."""
        return ContactService(
            app=self.app,
            context=self.context,
            vault=self.vault,
            campaign_of=self.lookups.campaign_of,
            contact_lookup=self.lookups,
            installation_key=self.installation_key,
        )

    @cached_property
    def claims(self) -> ClaimService:
        numbers = AdoptedNumbers(self.app, self.installation_key, self.lookups)
        return ClaimService(self.app, self.context, numbers)

    @cached_property
    def planned_calls(self) -> PlannedCallService:
        return PlannedCallService(self.app, self.context)

    @cached_property
    def imports(self) -> ImportService:
        return self.imports_from(self.uploads)

    def imports_from(self, uploads: Uploads) -> ImportService:
        return ImportService(
            app=self.app,
            context=self.context,
            uploads=uploads,
            vault=self.vault,
            contact_lookup=self.lookups,
            read_model=self.read_model,
            longest_call_seconds=self.provider.longest_call_seconds,
        )

    @cached_property
    def redials(self) -> RedialService:
        """Campaigns from contacts of other campaigns."""
        return RedialService(
            app=self.app,
            context=self.context,
            imports=self.imports_from(self.uploads),
            uploads=self.uploads,
            source=RedialStaging(self.writing),
            read_model=self.read_model,
        )

    @cached_property
    def test_calls(self) -> TestCallService:
        """Creates and starts campaigns with a single contact."""
        return TestCallService(
            app=self.app,
            context=self.context,
            imports=self.imports,
            campaigns=self.campaigns,
            uploads=self.uploads,
            receive=self._receive_small_file,
        )

    def _receive_small_file(self, upload_id: UUID, content: bytes, by: str) -> Upload:
        """Stage a contact file that was built here; see `single_test_call.Receive`."""
        region, at = self.settings.values().default_region, self.now()
        until = at + STAGED_FOR
        new = NewUpload(upload_id, "test-call.csv", region, by, at, until)
        return receive_built(self.uploads, new, content)

    @cached_property
    def assistants(self) -> AssistantService:
        return AssistantService(
            app=self.app,
            context=self.context,
            provider=self.provider,
            use=self.lookups,
            read_model=self.read_model,
        )

    @cached_property
    def members(self) -> MemberService:
        return MemberService(
            app=self.app,
            context=self.context,
            credentials=Credentials(self.writing),
            admins=self.admins,
        )

    @cached_property
    def access(self) -> AccessService:
        """Creates sign-in links and tokens, and revokes tokens."""
        return AccessService(
            app=self.app,
            context=self.context,
            tokens=self.tokens,
            links=self.sign_in_links,
            link_life=LINK_LIFE,
        )

    @cached_property
    def settings(self) -> SettingsService:
        return SettingsService(
            app=self.app,
            context=self.context,
            first=self.first_settings,
            any_address=self.any_alert_address,
        )

    @cached_property
    def rule_book(self) -> RuleBookSource:
        return RuleBookSource(self.rule_folders, monotonic=monotonic)

    @cached_property
    def suppression_lists(self) -> SuppressionListService:
        return SuppressionListService(self.app, self.context, self.suppression_blocks)

    @cached_property
    def webhook_endpoints(self) -> WebhookEndpointService:
        return WebhookEndpointService(
            app=self.app,
            context=self.context,
            lookup=self.lookups,
            any_address=self.any_alert_address,
        )

    # --- The read model -----------------------------------------------------------

    def wait_for_read_model(self, seconds: float) -> bool:
        """Wait until the read model includes the whole log; return whether it does."""
        position = self.app.recorder.max_notification_id() or 0
        return self.read_model.wait_for(position, seconds)

    def admins(self) -> list[str]:
        """Return the admins' addresses, including one appointed just now."""
        self.wait_for_read_model(ADMINS_SECONDS)
        return self.lookups.admins()
