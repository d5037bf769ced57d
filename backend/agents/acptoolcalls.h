// The tool calls of one session as rows: each message changes only what it names, and a row may begin in any of them.
// Pure state, no clock and no signals.
#pragma once

#include "backend/agents/acpupdate.h"

#include <QHash>
#include <QJsonObject>
#include <QSet>

namespace foundry::backend {

class AcpToolCalls {
public:
    // The session's folder: a title that is nothing but a path below it is shown relative to it.
    explicit AcpToolCalls(QString root = {})
        : m_root(std::move(root))
    {
    }
    // `fields` as in tool_call, tool_call_update or request_permission's toolCall. Nothing when it has no id or changes
    // nothing that is shown (measured: some updates carry only `_meta`).
    std::optional<ToolCallUpsert> merge(const QJsonObject &fields, Millis now);
    // The row as it is, e.g. beside a permission. An unknown id gives a row with that id only.
    ToolCall row(const QString &callId) const;
    bool anyRunning() const;
    // The turn was stopped by the user: what ends from now on without success was stopped, it did not fail.
    void stop() { m_stopped = true; }
    // The turn is over, and with it every row that is still open: `cancelled` when it was stopped, else (rejected without
    // a word) `failed`.
    QList<ToolCallUpsert> closeOpen(Millis now);
    // A new turn begins; what came before is final.
    void clear();

private:
    struct Row {
        ToolCall call;
        QString terminalOutput; // told in `_meta` by agents that run their own terminal
    };
    void account(const QString &callId, qint64 more);

    QString m_root;
    QHash<QString, Row> m_rows;
    // What the rows hold is bounded: calls that are over are let go of, the oldest first. A late word about one of them
    // changes nothing any more.
    qint64 m_bytes = 0;
    QStringList m_ended;
    QSet<QString> m_gone;
    bool m_stopped = false;
};

} // namespace foundry::backend
