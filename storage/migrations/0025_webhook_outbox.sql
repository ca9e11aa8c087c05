-- Older writers: refused
--
-- Outgoing webhooks. These tables are not computed from the log again when the read
-- tables are rebuilt: a rebuild must neither repeat nor lose a message. The projector
-- adds messages in the transaction that applies an event to the live read tables, and
-- `webhook_outbox` names the last position for which it did. An older projector would
-- apply events without adding their messages.
create table webhook_outbox (
    id integer primary key check (id = 1),
    position bigint not null
);
insert into webhook_outbox values (1, 0);

-- A message about one event. The body is composed once, right after the event was
-- applied, so that each repetition has the same. It contains personal data, which an
-- erasure removes; `needs_body` is then set if the message is still to be sent.
create table webhook_message (
    key text primary key,
    position bigint not null,
    type text not null,
    occurred_at timestamptz not null,
    campaign_id uuid,
    contact_id uuid,
    call_id uuid,
    details jsonb not null,
    body text,
    needs_body boolean not null default true,
    created_at timestamptz not null default clock_timestamp()
);
create index webhook_message_without_body on webhook_message (position)
    where needs_body;
create index webhook_message_contact on webhook_message (contact_id)
    where contact_id is not null;
create index webhook_message_created on webhook_message (created_at);
alter table webhook_message alter column body set statistics 0;

-- One message on its way to one endpoint. Deliveries with the same `lane` (a contact, a
-- campaign or the settings) are sent in order; `group_id` is the lane of the campaign.
-- `refused`: the endpoint works, but did not accept this message.
create table webhook_delivery (
    id uuid primary key,
    endpoint_id uuid not null,
    message_key text not null,
    position bigint not null,
    type text not null,
    group_id uuid not null,
    lane uuid not null,
    state text not null default 'waiting'
        check (state in ('waiting', 'delivered', 'failed')),
    resent boolean not null default false,
    refused boolean not null default false,
    attempts integer not null default 0,
    first_attempt_at timestamptz,
    next_attempt_at timestamptz not null default clock_timestamp(),
    delivered_at timestamptz,
    last_answer text,
    created_at timestamptz not null default clock_timestamp()
);
create index webhook_delivery_waiting on webhook_delivery (endpoint_id, position, type)
    where state = 'waiting';
create index webhook_delivery_due on webhook_delivery (endpoint_id, next_attempt_at)
    where state = 'waiting';
create index webhook_delivery_refused on webhook_delivery (endpoint_id, lane)
    where state = 'waiting' and refused;
create index webhook_delivery_message on webhook_delivery (message_key);
create index webhook_delivery_log on webhook_delivery (endpoint_id, created_at);
create index webhook_delivery_created on webhook_delivery (created_at);

-- Endpoints whose last delivery failed, with the time of the first failure since the
-- last success.
create table webhook_failing (
    endpoint_id uuid primary key,
    failing_since timestamptz not null default clock_timestamp()
);
