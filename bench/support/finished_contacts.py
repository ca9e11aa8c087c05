"""Fills tables with the finished contacts of a campaign, without their events."""

from uuid import UUID, uuid4

import psycopg

GROUP = 1
"""Id of the group of all contacts, as an import determines it for New York."""

FILL = """
set search_path = read, public;
insert into contact_import (list_id, campaign_id, filename_words_id, starts_at,
        opened_at, imported_at, imported_position)
    values ('{list}', '{campaign}', '{list}', 0, now(), now(), 1);
create temp table person as
    select n, gen_random_uuid() as contact_id, gen_random_uuid() as call_id,
        gen_random_uuid() as message_id from generate_series(1, {rows}) n;
insert into contact_group (group_id, codes, zones, source, has_consent)
    values ({group}, 'US-NY', 'America/New_York', 'NUMBER', false)
    on conflict do nothing;
insert into contact_log (contact_id, list_id, campaign_id, seq, status, call_id,
        attempt, group_id)
    select contact_id, '{list}', '{campaign}', n, 'ENDED', call_id, 1, {group}
    from person;
insert into contact_vault (contact_id, list_id, campaign_id, name, business_name,
        phone, variables, salt, leaf)
    select contact_id, '{list}', '{campaign}', 'Person ' || n, 'Company, Inc.',
        '+1212' || 2000000 + n,
        json_build_object('Plan', 'plan ' || n % 7, 'City', 'Springfield', 'Owner',
            'Owner ' || n % 100, 'Notes', 'Called before, ask for the owner.'),
        's', 'l' from person;
insert into call_log (call_id, campaign_id, contact_id, attempt, status, standing,
        queued_at, placed_at, ringing_at, started_at, ended_at, last_event_at, outcome,
        disposition, ended_reason, cost, report_message_id, version)
    select call_id, '{campaign}', contact_id, 1, 'ENDED', 'ENDED', now(), now(), now(),
        now(), now(), now(), 'HUMAN', 'GOAL_REACHED', 'customer-ended-call', 0.0512,
        message_id, 7 from person;
insert into message_vault (id, subject_id, campaign_id, document, recording_url,
        transcript, structured_outputs, summary, salt, leaf)
    select message_id, call_id, '{campaign}', '{{}}', 'https://example.com/' || n,
        '[{{"role": "bot", "message": "Hello, is this a good time to talk?"}}]',
        json_build_object('interested', true, 'score', n % 10),
        'The customer is interested.', 's', 'l' from person;
analyze;
"""


def fill_finished(database: str, campaign: UUID, contacts: int) -> None:
    """Insert contacts of an existing campaign, each with one call that it answered.

    Their numbers are different and valid if there are at most 7,999,999.
    """
    text = FILL.format(campaign=campaign, list=uuid4(), rows=contacts, group=GROUP)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(text.encode())
