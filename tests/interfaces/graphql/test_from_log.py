"""A campaign computed from its own events, while the read model is behind."""

from datetime import timedelta

from domain.campaigns.campaign_terms import CallingTerms
from interfaces.graphql.from_log import campaign_from_log
from tests.wiring import NOON, Clock, housed


def test_waiting_contacts_of_an_expired_campaign_count_as_canceled(
    database: str,
) -> None:
    with housed(database) as house:
        terms = CallingTerms(ends_at=NOON + timedelta(hours=1))
        campaign_id = house.campaign(2, terms=terms)
        before = house.board(campaign_id)
        assert (before.pending, before.canceled) == (2, 0)
        assert isinstance(house.now, Clock)
        house.now.pass_(hours=2)
        house.campaigns.expire(campaign_id)
        for shown in (None, before):
            row = campaign_from_log(house.app, campaign_id, shown)
            assert (row.contacts, row.pending, row.canceled) == (2, 0, 2)
