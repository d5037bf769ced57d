// The tool calls of one session as rows: each message changes only what it names, and a row may begin in any of them.
// Pure state, no clock and no signals.
#pragma once

#include "backend/agents/acpupdate.h"

#include <QHash>
#include <QJsonObject>

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
    // The turn is over, and with it every row that is still open (cancelled, rejected without a word): `failed`.
    QList<ToolCallUpsert> closeOpen(Millis now);
    // A new turn begins; what came before is final.
    void clear() { m_rows.clear(); }

private:
    struct Row {
        ToolCall call;
        QString terminalOutput; // told in `_meta` by agents that run their own terminal
    };
    QString m_root;
    QHash<QString, Row> m_rows;
};

} // namespace foundry::backend
