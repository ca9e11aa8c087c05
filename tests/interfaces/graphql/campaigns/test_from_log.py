"""A campaign computed from its own events, while the read model is behind."""

from datetime import timedelta

from domain.campaigns.campaign_terms import CallingTerms
from interfaces.graphql.from_log import campaign_from_log
from tests.wiring import NOON, Clock, open_services


def test_waiting_contacts_of_an_expired_campaign_count_as_canceled(
    database: str,
) -> None:
    with open_services(database) as services:
        terms = CallingTerms(ends_at=NOON + timedelta(hours=1))
        campaign_id = services.campaign(2, terms=terms)
        before = services.board(campaign_id)
        assert (before.pending, before.canceled) == (2, 0)
        assert isinstance(services.now, Clock)
        services.now.pass_(hours=2)
        services.campaigns.expire(campaign_id)
        for shown in (None, before):
            row = campaign_from_log(services.app, campaign_id, shown)
            assert (row.contacts, row.pending, row.canceled) == (2, 0, 2)
