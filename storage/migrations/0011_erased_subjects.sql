-- Contacts and calls of whom nothing is kept any more: what is told of them from now on
-- is stored without its content, its leaf as the proof.
create table erased_subject (subject_id uuid primary key);

insert into erased_subject
select originator_id from autolynx_events where topic = 'contact.erased';

insert into erased_subject
select originator_id from autolynx_events
where topic = 'call.created'
    and (convert_from(state, 'UTF8')::json ->> 'contact_id')::uuid
        in (select subject_id from erased_subject);

-- Under the append lock: whoever is erased by then is known, and whoever is erased
-- later finds what was stored before.
create function autolynx_withhold(subjects uuid[])
returns void language plpgsql as $$
declare
    erased uuid[];
begin
    select array_agg(subject_id) into erased
    from erased_subject where subject_id = any(subjects);
    if erased is not null then
        update message_vault
        set document = null, recording_url = null, transcript = null, salt = null
        where subject_id = any(erased) and salt is not null;
        update words_vault set words = null, salt = null
        where subject_id = any(erased) and salt is not null;
    end if;
end $$;

-- It returns now of whom messages and words were told. What is known as erased already
-- is not written at all, not even for the moment until it is withheld.
drop function autolynx_fill_vault(json);

create function autolynx_fill_vault(vault json)
returns uuid[] language plpgsql as $$
declare
    subjects uuid[] := '{}';
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
        with told as (
            insert into message_vault (id, subject_id, campaign_id, document,
                                       recording_url, transcript, salt, leaf)
            select id, m.subject_id, campaign_id,
                   case when kept then document end,
                   case when kept then recording_url end,
                   case when kept then transcript end,
                   case when kept then salt end, leaf
            from json_populate_recordset(null::message_vault, vault -> 'message_vault')
                as m,
                lateral (select not exists (
                    select from erased_subject e where e.subject_id = m.subject_id
                ) as kept) asked
            order by id
            returning subject_id
        )
        select subjects || array_agg(subject_id) into subjects from told;
    end if;
    if vault -> 'words_vault' is not null then
        with told as (
            insert into words_vault (id, subject_id, words, salt, leaf)
            select id, w.subject_id, case when kept then words end,
                   case when kept then salt end, leaf
            from json_populate_recordset(null::words_vault, vault -> 'words_vault')
                as w,
                lateral (select not exists (
                    select from erased_subject e where e.subject_id = w.subject_id
                ) as kept) asked
            order by id
            returning subject_id
        )
        select subjects || array_agg(subject_id) into subjects from told;
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
    return subjects;
end $$;

create or replace function autolynx_append(
    ids uuid[], versions bigint[], topics text[], states bytea[],
    expect_ids uuid[], expect_versions bigint[], vault json, wait text
) returns bigint[] language plpgsql as $$
declare
    positions bigint[];
    subjects uuid[] := '{}';
begin
    perform set_config('lock_timeout', wait, true);
    if vault is not null then
        subjects := autolynx_fill_vault(vault);
    end if;
    perform autolynx_append_lock(expect_ids, expect_versions);
    if cardinality(subjects) > 0 then
        perform autolynx_withhold(subjects);
    end if;
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

-- Up to which position of the log all that is too old was taken away.
create table retention_mark (
    id integer primary key check (id = 1),
    up_to bigint not null
);

-- What belongs to no call is looked for by what it says: let that be all that is read.
create index message_vault_stray on message_vault (id)
    where campaign_id is null and salt is not null;
