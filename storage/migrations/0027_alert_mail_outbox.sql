-- Older writers: allowed
--
-- Alerts on their way out by e-mail, like alert_outbox for the alert URL.
create table alert_mail_outbox (
    position bigint primary key,
    body jsonb not null,
    state text not null check (state in ('waiting', 'posted', 'unwanted', 'given_up')),
    tries integer not null default 0,
    next_try_at timestamptz not null default clock_timestamp(),
    created_at timestamptz not null default clock_timestamp(),
    done_at timestamptz,
    error text
);

create index alert_mail_outbox_waiting on alert_mail_outbox (next_try_at)
    where state = 'waiting';

-- Alerts from before are not sent by e-mail.
insert into alert_mail_outbox (position, body, state)
select position, body, 'unwanted' from alert_outbox;
