#include "backend/actors/transcriptwriter.h"

#include "backend/actors/toolcallfit.h"
#include "backend/store/database.h"

#include <QDateTime>

namespace foundry::backend {

namespace {

constexpr qsizetype transcriptMessageLimit = 16 * 1024;

// Where to cut UTF-8 bytes so that at most `room` stay together and no character is split.
qsizetype transcriptCut(const QByteArray &bytes, qsizetype room)
{
    if (bytes.size() <= room)
        return bytes.size();
    qsizetype cut = qMax<qsizetype>(0, room);
    while (cut > 0 && (uchar(bytes.at(cut)) & 0xC0) == 0x80)
        --cut;
    // A line's end nearby makes a better border for Markdown.
    const qsizetype line = cut > 0 ? bytes.lastIndexOf('\n', cut - 1) : -1;
    return line >= 0 && cut - line < 2048 ? line + 1 : cut;
}

bool isTranscriptText(const TranscriptEntry &entry)
{
    return entry.kind == EntryKind::AgentMessage || entry.kind == EntryKind::AgentThought;
}

bool isToolOver(const QString &status)
{
    return status == QLatin1StringView("completed") || status == QLatin1StringView("failed")
        || status == QLatin1StringView("cancelled");
}

} // namespace

TranscriptWriter::TranscriptWriter(ActorContext &context, BlobStore blobs, SessionId session)
    : m_context(context)
    , m_blobs(std::move(blobs))
    , m_index(context)
    , m_session(std::move(session))
    , m_topic(topicOf(m_session))
{
    m_uncommitted = true;
    recover();
}

QString TranscriptWriter::schema()
{
    return QStringLiteral(
        "CREATE TABLE open_entries (session TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, idx INTEGER NOT NULL,"
        " PRIMARY KEY (session, kind, key)) WITHOUT ROWID;");
}

QString TranscriptWriter::topicOf(const SessionId &session)
{
    return QStringLiteral("session/") + session.value;
}

void TranscriptWriter::recover()
{
    if (!m_uncommitted)
        return;
    m_uncommitted = false;
    m_flushed = 0;
    m_now = {};
    m_now.next = m_context.rowCount(m_topic);
    const QList<Entity> last = m_context.window(m_topic, std::nullopt, std::nullopt, 1);
    if (!last.isEmpty()) {
        if (const auto *entry = std::get_if<TranscriptEntry>(&last.last())) {
            m_now.turn = entry->turn;
            m_now.next = qMax(m_now.next, entry->index + 1);
            m_now.inTurn = entry->kind != EntryKind::TurnEnd;
        }
    }
    auto q = m_context.database().query("SELECT kind, key, idx FROM open_entries WHERE session = ?", m_session.value);
    while (q.next()) {
        if (q.text(0) == QLatin1StringView("tool"))
            m_now.tools.insert(q.text(1), q.integer(2));
        else if (q.text(0) == QLatin1StringView("permission"))
            m_now.permissions.insert(q.text(1), q.integer(2));
        else if (q.text(0) == QLatin1StringView("question"))
            m_now.questions.insert(q.text(1), q.integer(2));
        else if (q.text(0) == QLatin1StringView("message"))
            m_now.unindexed = q.integer(2);
        else
            m_now.plan = q.integer(2);
    }
    // Goes on where it grew, when nothing came after it.
    if (m_now.unindexed && *m_now.unindexed == m_now.next - 1) {
        m_now.message = entryAt(*m_now.unindexed);
        m_now.messageBytes = m_now.message ? m_now.message->text.toUtf8().size() : 0;
    }
}

void TranscriptWriter::touch(Transaction &tx)
{
    if (m_uncommitted)
        return;
    m_uncommitted = true;
    tx.afterCommit([this] { m_uncommitted = false; });
}

void TranscriptWriter::buffer(const TranscriptEntry &update, qsizetype bytes)
{
    m_bufferedBytes += bytes;
    if (!m_buffer.isEmpty()) {
        TranscriptEntry &last = m_buffer.last();
        if (isTranscriptText(update) && last.kind == update.kind) {
            last.text += update.text;
            return;
        }
        // A tool row comes whole each time: only its latest state is worth a write.
        for (TranscriptEntry &earlier : m_buffer) {
            if (update.tool && earlier.tool && earlier.tool->callId == update.tool->callId) {
                earlier.tool = update.tool;
                return;
            }
        }
        if (update.kind == EntryKind::Plan && last.kind == EntryKind::Plan) {
            last.plan = update.plan;
            return;
        }
    }
    m_buffer.append(update);
}

void TranscriptWriter::flush(Transaction &tx)
{
    if (m_flushed == m_buffer.size())
        return;
    touch(tx);
    for (; m_flushed < m_buffer.size(); ++m_flushed) {
        const TranscriptEntry &update = m_buffer.at(m_flushed);
        if (isTranscriptText(update)) {
            addText(tx, update.kind.valueOr(EntryKind::AgentMessage), update.text);
        } else if (update.tool) {
            addTool(tx, *update.tool);
        } else if (update.kind == EntryKind::Plan) {
            std::optional<TranscriptEntry> entry = m_now.plan ? entryAt(*m_now.plan) : std::nullopt;
            if (entry) {
                entry->plan = update.plan;
                tx.put(m_topic, *entry);
            } else {
                TranscriptEntry plan = fresh(EntryKind::Plan);
                plan.plan = update.plan;
                if (m_now.inTurn) {
                    m_now.plan = plan.index;
                    remember(tx, "plan", QStringLiteral("plan"), plan.index);
                }
                add(tx, std::move(plan));
            }
        } else {
            TranscriptEntry entry = fresh(update.kind.valueOr(EntryKind::Notice));
            entry.text = update.text;
            entry.error = update.error;
            add(tx, std::move(entry));
        }
    }
    // Kept until the commit, so that a rolled back transaction loses nothing.
    tx.afterCommit([this] {
        m_buffer.clear();
        m_bufferedBytes = 0;
        m_flushed = 0;
    });
}

TranscriptEntry TranscriptWriter::fresh(EntryKind kind) const
{
    TranscriptEntry entry;
    entry.index = m_now.next;
    entry.turn = m_now.turn;
    entry.at = QDateTime::currentMSecsSinceEpoch();
    entry.kind = kind;
    return entry;
}

void TranscriptWriter::add(Transaction &tx, TranscriptEntry entry)
{
    if (!isTranscriptText(entry) && entry.text.size() > transcriptMessageLimit)
        entry.text = entry.text.left(transcriptMessageLimit) + QStringLiteral("…");
    if (entry.error && entry.error->detail.size() > transcriptMessageLimit)
        entry.error->detail = QStringLiteral("…") + entry.error->detail.right(transcriptMessageLimit);
    touch(tx);
    closeMessage(tx);
    tx.put(m_topic, entry);
    ++m_now.next;
    if (isTranscriptText(entry)) {
        m_now.messageBytes = entry.text.toUtf8().size();
        m_now.unindexed = entry.index;
        remember(tx, "message", QString(), entry.index);
        m_now.message = std::move(entry);
    } else if (!entry.tool) { // those are added when they are begun and when they are over
        m_index.add(tx, m_session, entry, TranscriptIndex::Stage::Final);
    }
}

// A message is whole when something else begins; after a restart it is found by what was remembered.
void TranscriptWriter::closeMessage(Transaction &tx)
{
    if (!m_now.unindexed)
        return;
    const auto whole = m_now.message ? m_now.message : entryAt(*m_now.unindexed);
    if (whole)
        m_index.add(tx, m_session, *whole, TranscriptIndex::Stage::Final);
    forget(tx, "message", QString());
    m_now.unindexed.reset();
    m_now.message.reset();
}

std::optional<std::pair<qint64, QString>> TranscriptWriter::growing() const
{
    if (!m_now.unindexed)
        return std::nullopt;
    const auto now = m_now.message ? m_now.message : entryAt(*m_now.unindexed);
    return now ? std::optional(std::pair(*m_now.unindexed, now->text)) : std::nullopt;
}

void TranscriptWriter::addText(Transaction &tx, EntryKind kind, const QString &text)
{
    QByteArray rest = text.toUtf8();
    bool continues = false;
    if (m_now.message && m_now.message->kind == kind) {
        const qsizetype cut = transcriptCut(rest, transcriptMessageLimit - m_now.messageBytes);
        if (cut > 0) {
            const TextAppend append{m_now.message->index, m_now.messageBytes, QString::fromUtf8(rest.left(cut))};
            m_now.message->text += append.text;
            m_now.messageBytes += cut;
            tx.append(m_topic, append, *m_now.message);
            rest.remove(0, cut);
        }
        continues = !rest.isEmpty();
    }
    while (!rest.isEmpty()) {
        const qsizetype cut = qMax<qsizetype>(1, transcriptCut(rest, transcriptMessageLimit));
        TranscriptEntry entry = fresh(kind);
        entry.text = QString::fromUtf8(rest.left(cut));
        entry.continues = continues;
        add(tx, std::move(entry));
        rest.remove(0, cut);
        continues = true;
    }
}

void TranscriptWriter::addTool(Transaction &tx, ToolCall call)
{
    fitToolCall(call, m_blobs);
    const Millis now = QDateTime::currentMSecsSinceEpoch();
    const auto known = m_now.tools.constFind(call.callId);
    std::optional<TranscriptEntry> entry = known != m_now.tools.cend() ? entryAt(*known) : std::nullopt;
    if (entry && entry->tool) {
        if (!call.startedAt)
            call.startedAt = entry->tool->startedAt;
        if (!call.endedAt)
            call.endedAt = entry->tool->endedAt;
    }
    if (!call.startedAt)
        call.startedAt = now;
    if (!call.endedAt && isToolOver(call.status))
        call.endedAt = now;
    if (entry) {
        const bool wasOver = entry->tool && isToolOver(entry->tool->status);
        entry->tool = std::move(call);
        tx.put(m_topic, *entry);
        if (!wasOver && isToolOver(entry->tool->status))
            m_index.add(tx, m_session, *entry, TranscriptIndex::Stage::Final);
        return;
    }
    if (!m_now.inTurn)
        return; // a late word about a call whose turn is over: that entry is final
    TranscriptEntry row = fresh(EntryKind::ToolCall);
    m_now.tools.insert(call.callId, row.index);
    remember(tx, "tool", call.callId, row.index);
    row.tool = std::move(call);
    add(tx, row);
    m_index.add(tx, m_session, row, isToolOver(row.tool->status) ? TranscriptIndex::Stage::Final : TranscriptIndex::Stage::Begun);
}

void TranscriptWriter::beginTurn(Transaction &tx, qint64 turn, const QString &prompt, const QList<Attachment> &attachments)
{
    flush(tx);
    touch(tx);
    m_now.turn = turn;
    m_now.inTurn = true;
    QByteArray rest = prompt.toUtf8();
    bool continues = false;
    do {
        const qsizetype cut = transcriptCut(rest, transcriptMessageLimit);
        TranscriptEntry entry = fresh(EntryKind::UserMessage);
        entry.text = QString::fromUtf8(rest.left(cut));
        entry.continues = continues;
        if (!continues)
            entry.attachments = attachments;
        add(tx, std::move(entry));
        rest.remove(0, qMax<qsizetype>(1, cut));
        continues = true;
    } while (!rest.isEmpty());
}

void TranscriptWriter::notice(Transaction &tx, const QString &text)
{
    flush(tx);
    TranscriptEntry entry = fresh(EntryKind::Notice);
    entry.text = text;
    add(tx, std::move(entry));
}

void TranscriptWriter::error(Transaction &tx, const Error &error)
{
    flush(tx);
    TranscriptEntry entry = fresh(EntryKind::Error);
    entry.text = error.message;
    entry.error = error;
    add(tx, std::move(entry));
}

void TranscriptWriter::endTurn(Transaction &tx, const TurnEnd &end)
{
    flush(tx);
    touch(tx);
    const Millis now = QDateTime::currentMSecsSinceEpoch();
    for (const qint64 index : std::as_const(m_now.tools)) {
        std::optional<TranscriptEntry> entry = entryAt(index);
        if (!entry || !entry->tool || isToolOver(entry->tool->status))
            continue;
        if (end.stopReason == QLatin1StringView("end_turn"))
            entry->tool->status = QStringLiteral("completed");
        else
            entry->tool->status = end.stopReason == QLatin1StringView("cancelled") ? end.stopReason : QStringLiteral("failed");
        entry->tool->endedAt = now;
        tx.put(m_topic, *entry);
        m_index.add(tx, m_session, *entry, TranscriptIndex::Stage::Final);
    }
    const QStringList permissions = m_now.permissions.keys(); // answering takes them out
    for (const QString &requestId : permissions)
        answerPermission(tx, requestId, QStringLiteral("cancelled"), {});
    QuestionAsk unanswered;
    unanswered.answer = QStringLiteral("cancel");
    const QStringList questions = m_now.questions.keys();
    for (const QString &requestId : questions)
        answerQuestion(tx, requestId, unanswered);
    TranscriptEntry entry = fresh(EntryKind::TurnEnd);
    entry.turnEnd = end;
    add(tx, std::move(entry));
    m_now.inTurn = false;
    m_now.tools.clear();
    m_now.permissions.clear();
    m_now.questions.clear();
    m_now.plan.reset();
    tx.database().run("DELETE FROM open_entries WHERE session = ?", m_session.value);
}

void TranscriptWriter::remember(Transaction &tx, const char *kind, const QString &key, qint64 index)
{
    tx.database().run("INSERT OR REPLACE INTO open_entries (session, kind, key, idx) VALUES (?, ?, ?, ?)", m_session.value,
        QByteArray(kind), key, index);
}

std::optional<TranscriptEntry> TranscriptWriter::entryAt(qint64 index) const
{
    auto row = m_context.row(m_topic, QStringLiteral("TranscriptEntry"), QString::number(index));
    if (!row)
        return std::nullopt;
    if (auto *entry = std::get_if<TranscriptEntry>(&*row))
        return *entry;
    return std::nullopt;
}

} // namespace foundry::backend
