// What was said in a session, one update per line in a file of its own, so that session/load can replay it in another
// process. 0600, below $XDG_STATE_HOME/foundry-runner (or FOUNDRY_RUNNER_STATE); at most 8 MiB, then it stops growing.
#pragma once

#include <QFile>
#include <QJsonObject>
#include <QString>
#include <functional>

namespace foundry::runner {

class SessionLog {
public:
    // Opens, or begins, the log of a session. A failure to write is no error: the session only cannot be replayed.
    explicit SessionLog(const QString &sessionId);
    static bool exists(const QString &sessionId);

    void append(const QJsonObject &update);
    // Whole tool calls are in it with all their updates, in order.
    void replay(const std::function<void(const QJsonObject &)> &say);
    int nextTurn() const { return m_turns; } // counts user messages: part of call ids, so that they stay unique

private:
    QFile m_file;
    int m_turns = 0;
};

} // namespace foundry::runner
