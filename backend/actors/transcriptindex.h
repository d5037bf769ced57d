// Finds words in the transcripts of a task: a full-text index in the task's own database, written in the transaction of
// the entries. It holds words and where they stand, no text: snippets come from the entries.
//
// An entry is added when it cannot grow any more (messages when the next entry begins, tool calls when they begin and again
// when they are over), so that streaming costs nothing here and nothing is ever taken out.
#pragma once

#include "backend/actors/actorcontext.h"
#include "models/types/filecommands.h"
#include "models/types/transcript.h"

namespace foundry::backend {

class TranscriptIndex {
public:
    explicit TranscriptIndex(ActorContext &context);

    // A step of the actor's migrations; takes up what transcripts hold already.
    static QString schema();

    enum class Stage { Begun, Final };
    void add(Transaction &tx, const SessionId &session, const TranscriptEntry &entry, Stage stage);

    // Newest first, at most 100. All words must be there, in any order; "several words" in quotes as they stand; the last
    // word may go on. `growing` gives what add() does not know yet of a session. Error: input.invalid.
    using Growing = std::function<std::optional<std::pair<qint64, QString>>(const SessionId &)>;
    Result<TranscriptHits> search(const SearchTranscript &asked, const QList<SessionId> &sessions, const Growing &growing) const;

private:
    std::optional<qint64> numberOf(const SessionId &session) const;
    std::optional<TranscriptHit> hitAt(qint64 document, const QStringList &words) const;

    ActorContext &m_context;
};

} // namespace foundry::backend
