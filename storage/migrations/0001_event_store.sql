-- The log: append only. Ids rise in the order of commits, for every append takes the
-- lock below before it asks for one; readers never meet a lower id later.
create sequence autolynx_event_position;

create table autolynx_events (
    originator_id uuid not null,
    originator_version bigint not null check (originator_version > 0),
    topic text not null,
    state bytea not null,
    notification_id bigint not null default nextval('autolynx_event_position'),
    primary key (originator_id, originator_version)
) with (
    autovacuum_vacuum_insert_threshold = 10000,
    autovacuum_vacuum_insert_scale_factor = 0.05,
    autovacuum_analyze_scale_factor = 0.05
);

create unique index autolynx_events_notification_id on autolynx_events (notification_id);

alter sequence autolynx_event_position owned by autolynx_events.notification_id;

-- The vault: an erased row keeps its key and its leaf. Documents are json, not jsonb,
-- because their leaf is over the numbers as they were written.
create table contact_vault (
    contact_id uuid not null,
    list_id uuid not null,
    campaign_id uuid not null,
    name text,
    business_name text,
    phone text,
    variables json,
    salt bytea,
    leaf bytea not null,
    primary key (contact_id, list_id)
);

create index contact_vault_phone on contact_vault (phone);

create table message_vault (
    id uuid primary key,
    subject_id uuid not null,
    campaign_id uuid,
    document json,
    recording_url text,
    transcript json,
    salt bytea,
    leaf bytea not null
);

create index message_vault_subject_id on message_vault (subject_id);

create table words_vault (
    id uuid primary key,
    subject_id uuid not null,
    words text,
    salt bytea,
    leaf bytea not null
);

create index words_vault_subject_id on words_vault (subject_id);

create table key_vault (
    campaign_id uuid primary key,
    key bytea,
    salt bytea,
    leaf bytea not null
);

create table reject_vault (
    list_id uuid not null,
    "row" integer not null,
    reason text,
    message text,
    cells json,
    salt bytea,
    leaf bytea not null,
    primary key (list_id, "row")
);

-- Whoever appends comes through here, once and as late as possible. Held until the
-- commit, it keeps the order; under it the streams that a decision rests on must
-- still be at the versions that were read (0: no events).
create function autolynx_append_lock(expect_ids uuid[], expect_versions bigint[])
returns void language plpgsql as $$
declare
    moved uuid;
begin
    perform pg_advisory_xact_lock(x'4155544f4c594e58'::bigint);
    if cardinality(expect_ids) > 0 then
        select expected.id into moved
        from unnest(expect_ids, expect_versions) as expected (id, version)
        where expected.version <> coalesce(
            (select max(originator_version) from autolynx_events
             where originator_id = expected.id), 0)
        limit 1;
        if found then
            raise exception 'stream % has moved', moved using errcode = 'LX001';
        end if;
    end if;
end $$;

-- Rows by table name. Keys are taken in order, or two imports could deadlock.
create function autolynx_fill_vault(vault json)
returns void language plpgsql as $$
begin
    if vault -> 'contact_vault' is not null then
        insert into contact_vault (contact_id, list_id, campaign_id, name,
                                   business_name, phone, variables, salt, leaf)
        select contact_id, list_id, campaign_id, name,
               business_name, phone, variables, salt, leaf
        from json_populate_recordset(null::contact_vault, vault -> 'contact_vault')
        order by contact_id, list_id;
    end if;
    if vault -> 'message_vault' is not null then
        insert into message_vault (id, subject_id, campaign_id, document,
                                   recording_url, transcript, salt, leaf)
        select id, subject_id, campaign_id, document,
               recording_url, transcript, salt, leaf
        from json_populate_recordset(null::message_vault, vault -> 'message_vault')
        order by id;
    end if;
    if vault -> 'words_vault' is not null then
        insert into words_vault (id, subject_id, words, salt, leaf)
        select id, subject_id, words, salt, leaf
        from json_populate_recordset(null::words_vault, vault -> 'words_vault')
        order by id;
    end if;
    if vault -> 'key_vault' is not null then
        insert into key_vault (campaign_id, key, salt, leaf)
        select campaign_id, key, salt, leaf
        from json_populate_recordset(null::key_vault, vault -> 'key_vault')
        order by campaign_id;
    end if;
    if vault -> 'reject_vault' is not null then
        insert into reject_vault (list_id, "row", reason, message, cells, salt, leaf)
        select list_id, "row", reason, message, cells, salt, leaf
        from json_populate_recordset(null::reject_vault, vault -> 'reject_vault')
        order by list_id, "row";
    end if;
end $$;

-- One round trip and one transaction for a save: vault, lock, events, NOTIFY.
create function autolynx_append(
    ids uuid[], versions bigint[], topics text[], states bytea[],
    expect_ids uuid[], expect_versions bigint[], vault json, wait text
) returns bigint[] language plpgsql as $$
declare
    positions bigint[];
begin
    perform set_config('lock_timeout', wait, true);
    if vault is not null then
        perform autolynx_fill_vault(vault);
    end if;
    perform autolynx_append_lock(expect_ids, expect_versions);
    with stored as (
        insert into autolynx_events (originator_id, originator_version, topic, state)
        select id, version, topic, state
        from unnest(ids, versions, topics, states) with ordinality
            as event (id, version, topic, state, place)
        order by place
        returning notification_id
    )
    select array_agg(notification_id order by notification_id)
    into positions from stored;
    perform pg_notify(
        'autolynx_events', positions[cardinality(positions)]::text);
    return positions;
end $$;
