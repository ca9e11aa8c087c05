-- A search for calls that the log lacks may be broken off: it begins where it began.
-- How late the provider listed calls is remembered for a day by whoever leads next.
alter table last_led
    add column search_from timestamptz,
    add column list_delay_seconds double precision,
    add column list_delay_at timestamptz;

-- A database that nobody led yet needs no note of who did.
delete from last_led
where not exists (select from autolynx_events where topic = 'dispatcher.calls_claimed');
