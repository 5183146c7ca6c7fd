-- A small chat: people and bots, matched in pairs, and what they write to each other.
-- The two triggers at the end are all that Postrider's `notify` source needs from an application.

create table profiles (
    id     uuid primary key default gen_random_uuid(),
    name   text not null unique,
    is_bot boolean not null default false
);

create table matches (
    id         uuid primary key default gen_random_uuid(),
    user1_id   uuid not null references profiles,
    user2_id   uuid not null references profiles,
    created_at timestamptz not null default clock_timestamp()
);

create table messages (
    id         bigint generated always as identity primary key,
    match_id   uuid not null references matches,
    sender_id  uuid not null references profiles,
    content    text not null,
    created_at timestamptz not null default clock_timestamp()
);

create index on messages (match_id, id);

insert into profiles (name, is_bot) values ('Luna', true), ('Felix', true);
insert into profiles (name) values
    ('Maya'), ('Jonas'), ('Zoë'), ('美咲'), ('Tariq'),                     -- they have been talking for a while
    ('Nina'), ('Omar'), ('Sofia'), ('Kenji'), ('Aylin'), ('Mateus');      -- they come during the demo

insert into matches (user1_id, user2_id, created_at)
select person.id, bot.id, now() - interval '3 days'
from (values ('Maya', 'Luna'), ('Jonas', 'Felix'), ('Zoë', 'Luna'), ('美咲', 'Felix'), ('Tariq', 'Luna')) pair (person, bot)
join profiles person on person.name = pair.person
join profiles bot on bot.name = pair.bot;

-- What is said of a message on the channel. A notification carries at most 7,999 bytes; of a longer message the
-- beginning is sent, with "truncated": true, and whoever needs the rest reads it from the table by its id.
create function message_event(message messages, bot uuid) returns text
language plpgsql stable as $$
declare
    text_sent text := left(message.content, 7999);
    truncated boolean := text_sent <> message.content;
    event     text;
begin
    loop
        event := json_build_object(
            'id', message.id, 'match_id', message.match_id, 'sender_id', message.sender_id, 'bot_id', bot,
            'content', text_sent, 'created_at', message.created_at, 'truncated', truncated);
        exit when octet_length(event) <= 7999;
        -- A character takes at most 6 bytes in JSON, so this never cuts more than it must.
        text_sent := left(text_sent, -greatest(1, (octet_length(event) - 7999) / 6));
        truncated := true;
    end loop;
    return event;
end $$;

-- Messages of people are events; what a bot writes needs no answer and sends none.
create function notify_message() returns trigger
language plpgsql as $$
declare
    bot uuid;
begin
    select profiles.id into bot
    from matches join profiles on profiles.id in (matches.user1_id, matches.user2_id)
    where matches.id = new.match_id and profiles.is_bot;

    if bot is not null and new.sender_id <> bot then
        perform pg_notify('bot_events', message_event(new, bot));
    end if;
    return null;
end $$;

create function notify_match() returns trigger
language plpgsql as $$
begin
    perform pg_notify('new_match', row_to_json(new)::text);
    return null;
end $$;

create trigger messages_notify after insert on messages for each row execute function notify_message();
create trigger matches_notify after insert on matches for each row execute function notify_match();
