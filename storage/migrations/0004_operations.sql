-- What processes tell each other and people beside the log: not rebuilt, not in I7.

create table dispatch_decision (
    campaign_id uuid primary key,
    decided_at timestamptz not null,
    room integer not null,
    placed integer not null,
    reasons jsonb not null
);

create table heartbeat (
    role text primary key,
    holder text not null,
    backend_pid integer not null,
    beat_at timestamptz not null
);
