#include "realtime/outbox/outboxstore.h"

#include "realtime/protocol/codec.h"
#include "realtime/protocol/keys.h"

#include <QDateTime>

namespace foundry::realtime {

namespace {

SqlSchema outboxstoreSchema()
{
    SqlSchema schema;
    schema.survivesPower = true;
    schema.keepsAside = true;
    schema.steps << R"(
CREATE TABLE commands(
  number INTEGER PRIMARY KEY AUTOINCREMENT, request TEXT NOT NULL UNIQUE, actor TEXT NOT NULL, actor_key TEXT NOT NULL,
  action TEXT NOT NULL, args BLOB NOT NULL, label TEXT NOT NULL, state INTEGER NOT NULL, created_at INTEGER NOT NULL,
  sent_at INTEGER NOT NULL, error_group TEXT, error_code TEXT, error_message TEXT, error_action TEXT);
CREATE TABLE drafts(session TEXT PRIMARY KEY, value BLOB NOT NULL, updated_at INTEGER NOT NULL) WITHOUT ROWID;
)";
    return schema;
}

void outboxstorePut(SqlFile &file, const UpdateDraft &draft)
{
    file.run("INSERT INTO drafts VALUES(?, ?, ?) ON CONFLICT(session) DO UPDATE SET value = excluded.value, "
             "updated_at = excluded.updated_at",
        draft.sessionId.value, protocol::encodeValue(draft), QDateTime::currentMSecsSinceEpoch());
}

} // namespace

Result<> OutboxStore::open()
{
    if (m_file)
        return Unit{};
    auto file = SqlFile::open(m_path, outboxstoreSchema(), &m_setAside);
    if (!file)
        return file.error();
    m_file = std::move(*file);
    return Unit{};
}

template <class Work>
Result<> OutboxStore::change(Work work)
{
    if (auto opened = open(); !opened)
        return opened;
    if (m_file->begin())
        work(*m_file);
    if (m_file->commit())
        return Unit{};
    const Error error = *m_file->error();
    if (m_file->isDamaged()) {
        m_file.reset();
        m_setAside = SqlFile::moveAside(m_path, QStringLiteral("damaged"), true);
    }
    return error;
}

OutboxContent OutboxStore::load()
{
    OutboxContent content;
    if (const auto opened = open(); !opened) {
        content.problem = opened.error();
        return content;
    }
    m_file->clearError();
    {
        SqlQuery rows = m_file->query("SELECT request, actor, actor_key, action, args, label, state, created_at, sent_at, "
                                      "error_group, error_code, error_message, error_action FROM commands ORDER BY number");
        while (rows.next()) {
            OutboxEntry entry;
            entry.id = RequestId(rows.text(0));
            entry.actor = {rows.text(1), protocol::decodeKey(rows.text(2))};
            entry.action = rows.text(3);
            entry.args = rows.bytes(4);
            entry.label = rows.text(5);
            entry.state = OutboxState(rows.integer(6));
            entry.createdAt = rows.integer(7);
            entry.sentAt = rows.integer(8);
            if (!rows.isNull(9))
                entry.error = Error{rows.text(9), rows.text(10), rows.text(11), rows.text(12), {}};
            content.entries << entry;
        }
        SqlQuery drafts = m_file->query("SELECT value FROM drafts");
        while (drafts.next()) {
            if (const auto draft = protocol::decodeValue<UpdateDraft>(drafts.bytes(0)))
                content.drafts << *draft;
        }
    }
    if (m_file->error()) {
        content = {};
        content.problem = *m_file->error();
        if (m_file->isDamaged()) {
            m_file.reset();
            m_setAside = SqlFile::moveAside(m_path, QStringLiteral("damaged"), true);
        }
    }
    if (!m_setAside.isEmpty()) {
        content.problem = makeError(QLatin1StringView("client"), QLatin1StringView("outbox_set_aside"),
            QStringLiteral("What was waiting to be sent could not be read."),
            QStringLiteral("It is kept in %1.").arg(m_setAside), m_setAside);
    }
    return content;
}

Result<> OutboxStore::add(const OutboxEntry &entry, const std::optional<UpdateDraft> &draft)
{
    return change([&](SqlFile &file) {
        file.run("INSERT INTO commands(request, actor, actor_key, action, args, label, state, created_at, sent_at) "
                 "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
            entry.id.value, entry.actor.name, protocol::encodeKey(entry.actor.key), entry.action, entry.args, entry.label,
            int(entry.state), entry.createdAt, entry.sentAt);
        if (draft)
            outboxstorePut(file, *draft);
    });
}

Result<> OutboxStore::update(const QList<OutboxEntry> &entries)
{
    return change([&](SqlFile &file) {
        for (const OutboxEntry &entry : entries) {
            const auto of = [&entry](QString Error::*field) {
                return entry.error ? std::optional((*entry.error).*field) : std::nullopt;
            };
            file.run("UPDATE commands SET args = ?, label = ?, state = ?, sent_at = ?, error_group = ?, error_code = ?, "
                     "error_message = ?, error_action = ? WHERE request = ?",
                entry.args, entry.label, int(entry.state), entry.sentAt, of(&Error::group), of(&Error::code),
                of(&Error::message), of(&Error::action), entry.id.value);
        }
    });
}

Result<> OutboxStore::remove(const RequestId &id)
{
    return change([&](SqlFile &file) { file.run("DELETE FROM commands WHERE request = ?", id.value); });
}

Result<> OutboxStore::saveDrafts(const QList<UpdateDraft> &drafts)
{
    return change([&](SqlFile &file) {
        for (const UpdateDraft &draft : drafts)
            outboxstorePut(file, draft);
    });
}

Result<> OutboxStore::dropDraft(const SessionId &session)
{
    return change([&](SqlFile &file) { file.run("DELETE FROM drafts WHERE session = ?", session.value); });
}

} // namespace foundry::realtime
