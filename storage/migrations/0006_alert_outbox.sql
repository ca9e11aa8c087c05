-- Alerts on their way out. Each is an event; what becomes of the post is not in the log.
create table alert_outbox (
    position bigint primary key,
    body jsonb not null,
    state text not null check (state in ('waiting', 'posted', 'unwanted', 'given_up')),
    tries integer not null default 0,
    next_try_at timestamptz not null default clock_timestamp(),
    created_at timestamptz not null default clock_timestamp(),
    done_at timestamptz,
    error text
);

create index alert_outbox_waiting on alert_outbox (next_try_at)
    where state = 'waiting';
