-- Older writers: allowed
--
-- Appends with messages of the provider take the messages as arrays. In one JSON text
-- of all rows, as `autolynx_append` takes them, each document was parsed about ten
-- times. The other rows of the vault may only be texts, which are inserted after the
-- messages in both functions: appends that share keys must not block each other.
create function autolynx_append_messages(
    ids uuid[], versions bigint[], topics text[], states bytea[],
    expect_ids uuid[], expect_versions bigint[],
    message_ids uuid[], message_subjects uuid[], message_campaigns uuid[],
    message_documents json[], message_urls text[], message_transcripts json[],
    message_outputs json[], message_summaries text[], message_evaluations text[],
    message_salts bytea[], message_leaves bytea[],
    texts json, wait text
) returns bigint[] language plpgsql as $$
declare
    positions bigint[];
    subjects uuid[] := message_subjects;
begin
    perform set_config('lock_timeout', wait, true);
    insert into message_vault (id, subject_id, campaign_id, document, recording_url,
                               transcript, structured_outputs, summary,
                               success_evaluation, salt, leaf)
    select m.id, m.subject_id, m.campaign_id,
           case when kept then m.document end,
           case when kept then m.recording_url end,
           case when kept then m.transcript end,
           case when kept then m.structured_outputs end,
           case when kept then m.summary end,
           case when kept then m.success_evaluation end,
           case when kept then m.salt end, m.leaf
    from unnest(message_ids, message_subjects, message_campaigns, message_documents,
                message_urls, message_transcripts, message_outputs, message_summaries,
                message_evaluations, message_salts, message_leaves)
        as m (id, subject_id, campaign_id, document, recording_url, transcript,
              structured_outputs, summary, success_evaluation, salt, leaf),
        lateral (select not exists (
            select from erased_subject e where e.subject_id = m.subject_id
        ) as kept) asked
    order by m.id;
    if texts is not null then
        subjects := subjects || autolynx_fill_vault(texts);
    end if;
    positions := autolynx_append(
        ids, versions, topics, states, expect_ids, expect_versions, null, wait);
    -- The append lock is held until the commit. A person who was erased after the rows
    -- were inserted is found here.
    perform autolynx_withhold(subjects);
    return positions;
end $$;

-- Compressing a report of 9 KB with pglz takes longer than storing it. A server that was
-- built without LZ4 goes on with pglz.
do $$
begin
    alter table message_vault
        alter column document set compression lz4,
        alter column transcript set compression lz4;
exception when feature_not_supported then
    null;
end $$;
