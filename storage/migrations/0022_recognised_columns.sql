-- Older writers: refused
--
-- What is understood of a contact file: the role of each column (null for a file that an
-- older version received: its columns are name, business_name and phone), the accepted
-- numbers by country as a JSON array of pairs, and warnings for the user.
--
-- `attributes` is a JSON object of a contact's time zone, country, state, consent, own id
-- and phone cell as given. They are personal data: part of the row's leaf where there are
-- any, and emptied with the number. An older process would import contacts without them.
alter table upload
    add column roles text[],
    add column countries json not null default '[]',
    add column warnings json not null default '[]';
alter table upload_row add column attributes json;
alter table contact_vault add column attributes json;

create or replace function autolynx_fill_vault(vault json)
returns uuid[] language plpgsql as $$
declare
    subjects uuid[] := '{}';
begin
    if vault -> 'contact_vault' is not null then
        insert into contact_vault (contact_id, list_id, campaign_id, name,
                                   business_name, phone, extension, variables,
                                   attributes, salt, leaf)
        select contact_id, list_id, campaign_id, name,
               business_name, phone, extension, variables, attributes, salt, leaf
        from json_populate_recordset(null::contact_vault, vault -> 'contact_vault')
        order by contact_id, list_id;
    end if;
    if vault -> 'message_vault' is not null then
        with told as (
            insert into message_vault (id, subject_id, campaign_id, document,
                                       recording_url, transcript, structured_outputs,
                                       summary, success_evaluation, salt, leaf)
            select id, m.subject_id, campaign_id,
                   case when kept then document end,
                   case when kept then recording_url end,
                   case when kept then transcript end,
                   case when kept then structured_outputs end,
                   case when kept then summary end,
                   case when kept then success_evaluation end,
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
