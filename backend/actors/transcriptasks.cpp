// What an agent asks, as entries of the transcript: open until answered, and at the latest until their turn ends.
#include "backend/actors/transcriptwriter.h"
#include "backend/store/database.h"

namespace foundry::backend {

qint64 TranscriptWriter::askPermission(Transaction &tx, const PermissionAsk &ask)
{
    flush(tx);
    TranscriptEntry entry = fresh(EntryKind::Permission);
    const qint64 index = entry.index;
    entry.permission = ask;
    add(tx, std::move(entry));
    m_now.permissions.insert(ask.requestId, index);
    remember(tx, "permission", ask.requestId, index);
    return index;
}

bool TranscriptWriter::answerPermission(Transaction &tx, const QString &requestId, const QString &answer, const QString &by)
{
    flush(tx);
    std::optional<TranscriptEntry> entry = permissionEntry(requestId);
    if (!m_now.permissions.contains(requestId))
        return false;
    touch(tx);
    m_now.permissions.remove(requestId);
    forget(tx, "permission", requestId);
    if (!entry || !entry->permission)
        return false;
    entry->permission->answer = answer;
    if (!by.isEmpty())
        entry->permission->answeredBy = by;
    tx.put(m_topic, *entry);
    return true;
}

qint64 TranscriptWriter::askQuestion(Transaction &tx, const QuestionAsk &ask)
{
    flush(tx);
    TranscriptEntry entry = fresh(EntryKind::Question);
    const qint64 index = entry.index;
    entry.question = ask;
    add(tx, std::move(entry));
    m_now.questions.insert(ask.requestId, index);
    remember(tx, "question", ask.requestId, index);
    return index;
}

bool TranscriptWriter::answerQuestion(Transaction &tx, const QString &requestId, const QuestionAsk &answered)
{
    flush(tx);
    std::optional<TranscriptEntry> entry = questionEntry(requestId);
    if (!m_now.questions.contains(requestId))
        return false;
    touch(tx);
    m_now.questions.remove(requestId);
    forget(tx, "question", requestId);
    if (!entry || !entry->question)
        return false;
    entry->question->answer = answered.answer;
    entry->question->values = answered.values;
    entry->question->answeredBy = answered.answeredBy;
    tx.put(m_topic, *entry);
    return true;
}

std::optional<TranscriptEntry> TranscriptWriter::permissionEntry(const QString &requestId) const
{
    const auto found = m_now.permissions.constFind(requestId);
    return found == m_now.permissions.cend() ? std::nullopt : entryAt(*found);
}

std::optional<TranscriptEntry> TranscriptWriter::questionEntry(const QString &requestId) const
{
    const auto found = m_now.questions.constFind(requestId);
    return found == m_now.questions.cend() ? std::nullopt : entryAt(*found);
}

void TranscriptWriter::forget(Transaction &tx, const char *kind, const QString &key)
{
    tx.database().run("DELETE FROM open_entries WHERE session = ? AND kind = ? AND key = ?", m_session.value, QByteArray(kind), key);
}

} // namespace foundry::backend
