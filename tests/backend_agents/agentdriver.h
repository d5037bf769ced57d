// Drives an agent process through AcpClient and keeps all that it says, for tests.
#pragma once

#include "backend/agents/acpclient.h"
#include "backend/agents/stdiotransport.h"

#include <QList>
#include <QObject>

namespace foundry::test {

struct SeenPermission {
    QString sessionId;
    backend::AcpPermission permission;
};

class AgentDriver : public QObject {
    Q_OBJECT
public:
    // `limits` and `timeouts` are short in tests.
    explicit AgentDriver(backend::AcpTimeouts timeouts = {}, backend::StdioLimits limits = {});

    void start(const QString &program, const QStringList &args, const QString &cwd,
        const QProcessEnvironment &environment = QProcessEnvironment::systemEnvironment());
    void start(const backend::AgentSpec &spec);
    bool open(const QString &cwd); // newSession; false on error
    void prompt(const QString &text);

    QString text() const;    // all agent message chunks
    QString thought() const;
    backend::AcpClient &client() { return *m_client; }
    // A row as it is now; an empty one when there is none.
    ToolCall call(const QString &callId) const;
    QList<ToolCall> callsOfKind(const QString &kind) const;
    template <class T>
    QList<T> all() const
    {
        QList<T> found;
        for (const auto &update : updates) {
            if (const auto *value = std::get_if<T>(&update))
                found.append(*value);
        }
        return found;
    }

    std::optional<Result<backend::AcpAgentInfo>> started;
    std::optional<Result<backend::AcpSession>> session;
    std::optional<Result<backend::AcpTurn>> turn;
    std::optional<backend::AgentExit> exit;
    std::optional<Error> endError;
    QList<backend::AcpUpdate> updates;
    QList<SeenPermission> permissions;
    QStringList withdrawn;
    QList<QuestionAsk> questions;
    QStringList questionsDone;
    QString sessionId;

private:
    std::unique_ptr<backend::AcpClient> m_client;
};

QString scriptedAgent();

} // namespace foundry::test
