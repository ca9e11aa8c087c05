-- Older writers: allowed
--
-- OpenID Connect states that a browser has come back with: none is accepted twice. Only
-- hashes are kept, and only until a state would have expired anyway.
create table sign_in_state (
    hash bytea primary key,
    used_at timestamptz not null
);

create index sign_in_state_used_at on sign_in_state (used_at);
