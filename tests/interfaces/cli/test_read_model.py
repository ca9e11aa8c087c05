"""The read tables on the command line."""

from domain.values import Role
from projections.engine.schema import PROJECTIONS
from storage.database import connect
from tests.interfaces.cli.conftest import CommandLine
from tests.wiring import open_services


def test_status_shows_the_checkpoint_and_lag_of_each_projection(
    autolynx: CommandLine, database: str
) -> None:
    with open_services(database) as services:
        services.campaign(2)
        end = services.app.recorder.max_notification_id() or 0
        found = autolynx.done("projections", "status", "--json").json
        assert [row["name"] for row in found] == list(PROJECTIONS)
        assert {(row["position"], row["behind"]) for row in found} == {(end, 0)}
        assert {row["lagSeconds"] for row in found} == {0}
        services.read_model.held = True
        services.members.add("ada@example.com", Role.ADMIN, by="test")
        (row, *_) = autolynx.done("projections", "status", "--json").json
        assert (row["position"], row["head"], row["behind"]) == (end, end + 1, 1)
        assert row["lagSeconds"] > 0


def test_a_rebuild_repairs_the_tables_and_shows_its_progress(
    autolynx: CommandLine, database: str
) -> None:
    with open_services(database) as services:
        id_ = services.campaign(2)
        with connect(database, name="test") as conn:
            conn.execute("update read.campaign_board set pending = 77")
        assert services.board(id_).pending == 77
        ended = autolynx.done("projections", "rebuild", "campaign_board")
        assert ended.out.startswith("campaign_board is rebuilt from ")
        assert services.board(id_).pending == 2
        assert "Rebuild: 100 %" in autolynx.done("projections", "rebuild").err


def test_an_unknown_projection_is_refused(autolynx: CommandLine) -> None:
    refusal = autolynx.refusal("projections", "rebuild", "nobody")
    assert refusal.startswith("There is no projection nobody: it is one of campaign_")


def test_a_rebuild_is_refused_if_the_history_was_changed(
    autolynx: CommandLine, database: str
) -> None:
    with open_services(database) as services:
        services.campaign(2)
        with connect(database, name="test") as conn:
            change = (
                "update autolynx_events set state = state || ' '"
                " where notification_id = 3"
            )
            conn.execute(change)
        ended = autolynx("projections", "rebuild")
    assert ended.code == 1
    assert "Event 3 (" in ended.err
    assert "was changed" in ended.err
