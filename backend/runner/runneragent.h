// The built-in runner as an ACP agent: sessions, prompts, cancel. No model is behind it, and it says so.
#pragma once

#include "backend/runner/rpcchannel.h"
#include "backend/runner/turn.h"

#include <QObject>
#include <map>
#include <memory>

namespace foundry::runner {

class RunnerAgent : public QObject {
    Q_OBJECT
public:
    explicit RunnerAgent(RpcChannel &channel, QObject *parent = nullptr);
    // Ends all turns; ended() comes when nothing runs any more.
    void shutDown();

Q_SIGNALS:
    void ended();

private:
    struct Live {
        SessionState state;
        std::unique_ptr<Turn> turn;
        QJsonValue promptId;
    };

    void onRequest(const QJsonValue &id, const QString &method, const QJsonObject &params);
    void open(const QJsonValue &id, const QString &sessionId, const QJsonObject &params, bool replay);
    void prompt(const QJsonValue &id, Live &live, const QJsonArray &blocks);
    void cancel(const QString &sessionId);
    void turnEnded(const QString &sessionId, const QString &stopReason);

    RpcChannel &m_channel;
    std::map<QString, Live> m_sessions;
    bool m_leaving = false;
};

} // namespace foundry::runner
