"""Creation of campaigns from uploads, and import of more contacts.

Each step can be repeated: after a failure the same request continues where it stopped.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from application.app import AutoLynx, decide
from application.assistants import usable_assistant
from application.contacts.files.uploads import Upload, Uploads, columns_to_json
from application.contacts.list_import import (
    ListImport,
    ListImporter,
    OnProgress,
    ignore_progress,
)
from application.event_context import EventContext
from application.ports import ContactLookup, ReadModel
from application.vault import KeyRow, VaultReader, digest
from domain.assistant import Assistant
from domain.campaigns.arms import Arm, Comparison, comparison_of, first_share
from domain.campaigns.campaign import Campaign
from domain.campaigns.campaign_terms import CALLED_ONCE, CallingTerms
from domain.contacts.contact_list import ContactList
from domain.errors import Conflict, Invalid, NotFound
from domain.values import DialMode, campaign_id_of, campaign_id_of_request

SAME_REQUEST = timedelta(minutes=10)
"""Equal input of the same member within this time is the same request.

It holds for requests that have no id of their own.
"""


@dataclass(frozen=True, slots=True)
class NewCampaign:
    """A member's request for a campaign.

    `cap` None means the settings' default; `budget` is in US dollars. `compared` are
    further assistants, each with its share of the contacts in percent; the rest are
    called by `assistant_id`.
    """

    name: str
    upload_id: UUID
    assistant_id: UUID
    phone_number_id: str
    cap: int | None
    mode: DialMode
    line_quiet_gating: bool
    budget: Decimal | None
    terms: CallingTerms = CALLED_ONCE
    request_id: UUID | None = None
    redial_of: UUID | None = None
    is_test: bool = False
    compared: tuple[tuple[UUID, int], ...] = ()

    @property
    def comparison(self) -> Comparison:
        """All compared assistants with their shares; empty without a comparison.

        Raises Invalid if the shares leave none for the first assistant.
        """
        if not self.compared:
            return ()
        first = first_share([share for _, share in self.compared])
        return ((self.assistant_id, first), *self.compared)

    @property
    def campaign_id(self) -> UUID:
        """Derived, so that a repeated request finds the campaign that exists."""
        if self.request_id is not None:
            return campaign_id_of_request(self.request_id)
        return campaign_id_of(self.upload_id)


@dataclass(frozen=True, slots=True)
class Imported:
    """A campaign with its new list; the read model shows both at `position`."""

    campaign_id: UUID
    list_id: UUID
    position: int


class ImportService:
    """Creates campaigns from uploads and adds uploads to campaigns."""

    def __init__(
        self,
        *,
        app: AutoLynx,
        context: EventContext,
        uploads: Uploads,
        vault: VaultReader,
        contact_lookup: ContactLookup,
        read_model: ReadModel,
        longest_call_seconds: Callable[[dict[str, Any]], int],
    ) -> None:
        """`longest_call_seconds` returns the limit in an assistant's configuration."""
        self._app, self._context, self._uploads = app, context, uploads
        self._vault, self._longest_call_seconds = vault, longest_call_seconds
        self._importer = ListImporter(
            app=app,
            context=context,
            uploads=uploads,
            contact_lookup=contact_lookup,
            read_model=read_model,
        )

    def create_campaign(
        self,
        new: NewCampaign,
        *,
        default_cap: int,
        by: str,
        on_progress: OnProgress = ignore_progress,
    ) -> Imported:
        """Create the campaign with the upload's accepted rows, all at once.

        The same upload and input return the same campaign; after a crash the import
        continues where it stopped.

        Raises:
            Conflict: the upload became a campaign with other input.
            Invalid: the assistant is unknown, or the file has no accepted row.
            NotFound: the upload does not exist any more.
        """
        campaign_id = new.campaign_id
        campaign = self._app.find(Campaign, campaign_id)
        if campaign is None:
            campaign = self._new_campaign(new, self._assistants(new), default_cap, by)
            self._fill_new(campaign, new, by, on_progress)
            decide(lambda: self._create(new, default_cap, by))
        elif new.request_id is None and not _is_same(campaign, new):
            raise Conflict("This file became another campaign: upload it again.")
        elif new.upload_id not in campaign.lists:
            # The request was made before, with another upload of perhaps the same file.
            return self._imported(campaign_id, min(campaign.lists))
        return self._imported(campaign_id, new.upload_id)

    def check(self, new: NewCampaign, *, default_cap: int, by: str) -> None:
        """Raise Invalid if a campaign cannot be created from this input."""
        self._new_campaign(new, self._assistants(new), default_cap, by)

    def import_contacts(
        self, campaign_id: UUID, upload_id: UUID, *, by: str
    ) -> Imported:
        """Add the upload's rows to a campaign, except people it has already.

        Raises:
            NotFound: the upload does not exist any more.
        """
        campaign = self._app.load(Campaign, campaign_id)
        if upload_id not in campaign.lists:
            campaign.must_take_contacts()
            upload = self._upload(upload_id)
            self._fill(upload, campaign_id, starts_at=campaign.contacts, by=by)
            decide(lambda: self._count_in(campaign_id, upload_id, by))
        return self._imported(campaign_id, upload_id)

    # --- The campaign -------------------------------------------------------------

    def _assistants(self, new: NewCampaign) -> list[Assistant]:
        """Load the campaign's assistant and those that it compares, each once."""
        compared = (id_ for id_, _ in new.compared)
        ids = dict.fromkeys((new.assistant_id, *compared))
        return [usable_assistant(self._app, id_) for id_ in ids]

    def _new_campaign(
        self,
        new: NewCampaign,
        assistants: Sequence[Assistant],
        default_cap: int,
        by: str,
    ) -> Campaign:
        seconds = {one.id: self._longest_call_seconds(one.config) for one in assistants}
        provider_ids = {one.id: one.provider_assistant_id for one in assistants}
        arms = tuple(
            Arm(id_, provider_ids[id_], seconds[id_], share)
            for id_, share in new.comparison
        )
        return Campaign.create(
            campaign_id=new.campaign_id,
            name=new.name,
            assistant_id=new.assistant_id,
            provider_assistant_id=provider_ids[new.assistant_id],
            phone_number_id=new.phone_number_id,
            cap=default_cap if new.cap is None else new.cap,
            mode=new.mode,
            line_quiet_gating=new.line_quiet_gating,
            budget=new.budget,
            longest_call_seconds=max(seconds.values()),
            terms=new.terms,
            request_id=new.request_id,
            redial_of=new.redial_of,
            is_test=new.is_test,
            arms=arms,
            experiment_id=self._experiment(new),
            at=self._context.now(),
            by=by,
        )

    def _experiment(self, new: NewCampaign) -> UUID | None:
        """Return the experiment that a redial continues; None for one of its own.

        The redial must compare the same assistants with the same shares.
        """
        if not new.compared or new.redial_of is None:
            return None
        source = self._app.load(Campaign, new.redial_of)
        same = comparison_of(source.arms) == new.comparison
        return source.experiment_id if same else None

    def _fill_new(
        self, campaign: Campaign, new: NewCampaign, by: str, on_progress: OnProgress
    ) -> None:
        upload = self._upload(new.upload_id)
        if upload.accepted == 0:
            raise Invalid(
                "The file has no row to call.", uploadId="has no accepted row"
            )
        self._fill(upload, campaign.id, starts_at=0, by=by, on_progress=on_progress)

    def _create(self, new: NewCampaign, default_cap: int, by: str) -> None:
        if self._app.find(Campaign, new.campaign_id) is None:
            assistants = self._assistants(new)
            campaign = self._new_campaign(new, assistants, default_cap, by)
            for assistant in assistants:
                assistant.choose(campaign_id=campaign.id, at=self._context.now(), by=by)
            self._close(campaign, new.upload_id, by, *assistants)

    def _count_in(self, campaign_id: UUID, list_id: UUID, by: str) -> None:
        self._close(self._app.load(Campaign, campaign_id), list_id, by)

    def _close(
        self, campaign: Campaign, list_id: UUID, by: str, *chosen: Assistant
    ) -> None:
        """Close the list: only from then on its contacts belong to the campaign."""
        contacts, at = self._app.load(ContactList, list_id), self._context.now()
        contacts.close(at=at, by=by)
        campaign.import_contacts(
            list_id=list_id,
            starts_at=contacts.starts_at,
            accepted=contacts.accepted,
            skipped=contacts.skipped,
            at=at,
            by=by,
        )
        self._app.append(contacts, campaign, *chosen)

    def _imported(self, campaign_id: UUID, list_id: UUID) -> Imported:
        position = self._app.recorder.max_notification_id() or 0
        return Imported(campaign_id, list_id, position)

    # --- The list -----------------------------------------------------------------

    def _upload(self, upload_id: UUID) -> Upload:
        upload = self._uploads.get(upload_id, self._context.now())
        if upload is None:
            raise NotFound("upload (they are kept for a day)", upload_id)
        return upload

    def _fill(
        self,
        upload: Upload,
        campaign_id: UUID,
        *,
        starts_at: int,
        by: str,
        on_progress: OnProgress = ignore_progress,
    ) -> None:
        contacts = decide(lambda: self._open(upload, campaign_id, starts_at, by))
        if contacts.closed:
            return
        if starts_at:  # Duplicates are found in the read model, after its last import.
            self._importer.wait_for(self._app.recorder.max_notification_id())
        key = self._vault.campaign_key(campaign_id)
        assert key is not None  # Opening the campaign's first list stored it.
        order = ListImport(
            list_id=upload.id,
            roles=upload.roles,
            campaign_id=campaign_id,
            key=key,
            has_contacts=starts_at > 0,
            by=by,
            not_kept=upload.not_kept,
        )
        self._importer.run(order, on_progress)

    def _open(
        self, upload: Upload, campaign_id: UUID, starts_at: int, by: str
    ) -> ContactList:
        contacts = self._app.find(ContactList, upload.id)
        if contacts is None:
            words, name = self._context.vault_text(upload.id, upload.filename)
            columns, header = self._context.vault_text(
                upload.id, columns_to_json(upload.columns)
            )
            key = self._new_key(campaign_id)
            contacts = ContactList.create(
                list_id=upload.id,
                campaign_id=campaign_id,
                starts_at=starts_at,
                filename=words,
                columns=columns,
                key_digest=digest(key) if key else None,
                at=self._context.now(),
                by=by,
            )
            self._app.append(contacts, vault=[name, header, *key])
        contacts.must_belong_to(campaign_id)
        return contacts

    def _new_key(self, campaign_id: UUID) -> list[KeyRow]:
        if self._vault.campaign_key(campaign_id) is not None:
            return []
        key = self._context.random_bytes(32)
        return [KeyRow(salt=self._context.salt(), campaign_id=campaign_id, key=key)]


def _is_same(campaign: Campaign, new: NewCampaign) -> bool:
    asked = (new.name.strip(), new.assistant_id, new.phone_number_id)
    asked_how = (new.mode, new.line_quiet_gating, new.budget)
    made = campaign.created_as
    return (
        asked == (made.name, made.assistant_id, made.phone_number_id)
        and asked_how == (made.mode, made.line_quiet_gating, made.budget)
        and new.cap in (None, made.cap)
        and new.terms == made.terms
        and new.comparison == comparison_of(campaign.arms)
    )
