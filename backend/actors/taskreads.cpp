// The reads of the task actor: stored rows only. A diff that is not stored yet is fetched beside and announced.
#include "backend/actors/messagejson.h"
#include "backend/actors/taskactor.h"
#include "realtime/protocol/codec.h"
#include "realtime/protocol/messagelimits.h"

namespace foundry::backend {

void TaskActor::registerReads(ActionTable &table)
{
    table.read(QStringLiteral("getTranscript"), [this](const Caller &, QByteArrayView args) -> Result<QByteArray> {
        auto asked = protocol::decodeArgs<GetTranscript>(args);
        if (!asked)
            return asked.error();
        if (!m_store.session(asked->sessionId))
            return openSession(asked->sessionId).error();
        const QString topic = TranscriptWriter::topicOf(asked->sessionId);
        TranscriptPage page;
        for (Entity &entity : context().window(topic, asked->before, asked->after, qBound(qint64(1), asked->limit, qint64(500)))) {
            if (auto *entry = std::get_if<TranscriptEntry>(&entity))
                page.entries.append(std::move(*entry));
        }
        page.count = context().rowCount(topic);
        const TopicRevision revision = context().revision(topic);
        page.revision = revision.revision;
        page.generation = revision.generation;
        // A page stays below the limit of a message: the far end of it is dropped, and asked for next.
        QByteArray encoded = protocol::encodeValue(page);
        while (encoded.size() > protocol::hostPageLimit && page.entries.size() > 1) {
            const qsizetype keep = page.entries.size() / 2;
            page.entries = asked->after ? page.entries.first(keep) : page.entries.last(keep);
            encoded = protocol::encodeValue(page);
        }
        return encoded;
    });
    table.read(QStringLiteral("listPrompts"), [this](const Caller &, QByteArrayView args) -> Result<QByteArray> {
        auto asked = protocol::decodeArgs<GetTranscript>(args);
        if (!asked)
            return asked.error();
        if (!m_store.session(asked->sessionId))
            return openSession(asked->sessionId).error();
        const qint64 limit = qBound(qint64(1), asked->limit, qint64(500));
        const QList<TurnRow> turns = m_store.turns(asked->sessionId, asked->before, asked->after, limit);
        // Filled from the end that was asked for: what has no room any more is asked for next.
        QList<QJsonObject> found;
        qsizetype bytes = 0;
        for (qsizetype n = 0; n < turns.size(); ++n) {
            const TurnRow &turn = asked->after ? turns.at(n) : turns.at(turns.size() - 1 - n);
            const QString text = promptStart(m_blobs, turn.prompt);
            bytes += protocol::jsonTextSize(text) + protocol::jsonTextSize(turn.by) + 128;
            if (bytes > protocol::hostPageLimit)
                break;
            found.append({{QStringLiteral("index"), turn.entryIndex}, {QStringLiteral("turn"), turn.number}, {QStringLiteral("at"), turn.startedAt},
                {QStringLiteral("by"), turn.by}, {QStringLiteral("text"), text}});
        }
        if (!asked->after)
            std::reverse(found.begin(), found.end());
        QJsonArray prompts;
        for (const QJsonObject &prompt : std::as_const(found))
            prompts.append(prompt);
        return messagejson::text({{QStringLiteral("prompts"), prompts}});
    });
    table.read(QStringLiteral("getDiff"), [this](const Caller &, QByteArrayView args) -> Result<QByteArray> {
        auto asked = protocol::decodeArgs<GetDiff>(args);
        if (!asked)
            return asked.error();
        if (auto stored = m_changes.storedDiff(*asked))
            return *stored;
        if (auto fetching = m_changes.fetchDiff(*asked); !fetching)
            return fetching.error();
        DiffPage page;
        page.pending = true;
        page.path = asked->path;
        return protocol::encodeValue(page);
    });
    table.read(QStringLiteral("getStageLog"), [this](const Caller &, QByteArrayView args) -> Result<QByteArray> {
        auto asked = protocol::decodeArgs<GetStageLog>(args);
        if (!asked)
            return asked.error();
        const auto log = m_provisioning.log(asked->stageId, asked->attempt);
        if (!log)
            return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"),
                QStringLiteral("There is no log of stage “%1”, attempt %2.").arg(asked->stageId).arg(asked->attempt.value_or(1)), {},
                QStringLiteral("stageId"));
        return protocol::encodeValue(StageLog{*log});
    });
    table.read(QStringLiteral("getBlob"), [this](const Caller &, QByteArrayView args) -> Result<QByteArray> {
        auto asked = protocol::decodeArgs<GetBlob>(args);
        if (!asked)
            return asked.error();
        auto page = m_blobs.read(asked->blobId, asked->offset, asked->limit);
        return page ? Result<QByteArray>(protocol::encodeValue(*page)) : Result<QByteArray>(page.error());
    });
    table.read(QStringLiteral("searchTranscript"), [this](const Caller &, QByteArrayView args) -> Result<QByteArray> {
        auto asked = protocol::decodeArgs<SearchTranscript>(args);
        if (!asked)
            return asked.error();
        QList<SessionId> sessions;
        for (const SessionState &state : m_store.states()) {
            if (!asked->sessionId || *asked->sessionId == state.session)
                sessions.append(state.session);
        }
        if (asked->sessionId && sessions.isEmpty())
            return openSession(*asked->sessionId).error();
        auto hits = TranscriptIndex(context()).search(*asked, sessions, [this](const SessionId &session) { return m_transcripts.growing(session); });
        return hits ? Result<QByteArray>(protocol::encodeValue(*hits)) : Result<QByteArray>(hits.error());
    });
    table.read(QStringLiteral("listDirectory"), [this](const Caller &, QByteArrayView args) -> Result<QByteArray> {
        auto asked = protocol::decodeArgs<ListDirectory>(args);
        return asked ? m_files.listDirectory(*asked) : Result<QByteArray>(asked.error());
    });
    table.read(QStringLiteral("findFiles"), [this](const Caller &, QByteArrayView args) -> Result<QByteArray> {
        auto asked = protocol::decodeArgs<FindFiles>(args);
        return asked ? m_files.findFiles(*asked) : Result<QByteArray>(asked.error());
    });
    table.read(QStringLiteral("readFile"), [this](const Caller &, QByteArrayView args) -> Result<QByteArray> {
        auto asked = protocol::decodeArgs<ReadFile>(args);
        return asked ? m_files.readFile(*asked) : Result<QByteArray>(asked.error());
    });
}

} // namespace foundry::backend
