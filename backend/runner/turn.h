// One prompt being worked on: its commands one after the other, the plan, what is said and asked. Steps speak to the
// client only through it.
#pragma once

#include "backend/runner/promptparser.h"
#include "backend/runner/rpcchannel.h"

#include <QJsonArray>
#include <QObject>
#include <QSet>
#include <memory>

namespace foundry::runner {

class Step;
class SessionLog;

// What a session keeps between turns.
struct SessionState {
    QString id;
    QString root; // absolute; all work is inside it
    QSet<QString> grants; // kinds that were allowed for the whole session: edit, execute
    std::shared_ptr<SessionLog> log;
};

struct PlanStep {
    QString content;
    QString priority = QStringLiteral("medium");
    QString status = QStringLiteral("pending");
};

class Turn : public QObject {
    Q_OBJECT
public:
    Turn(RpcChannel &channel, SessionState &session, QObject *parent = nullptr);
    ~Turn() override;

    void start(const QString &prompt);
    // Ends what runs and drops what is asked; finished("cancelled") comes when nothing runs any more.
    void cancel();

    // For steps.
    const QString &root() const { return m_session.root; }
    void say(const QString &markdown);
    // A tool call's row: first sight, then changes.
    void toolCall(const QJsonObject &fields);
    void toolUpdate(const QJsonObject &fields);
    // `kind` edit or execute; `call` as in tool_call. Granted for the session: answered at once.
    void ask(const QString &kind, const QJsonObject &call, std::function<void(bool allowed)> then);
    QString newCallId();
    int addPlanStep(const PlanStep &step); // its index
    void setPlanStatus(int index, const QString &status);
    void publishPlan();

Q_SIGNALS:
    void finished(const QString &stopReason);

private:
    void next();
    void stepDone(bool ok);
    void update(const QJsonObject &fields);
    void end(const QString &stopReason);

    RpcChannel &m_channel;
    SessionState &m_session;
    QList<Command> m_commands;
    QList<PlanStep> m_plan;
    qsizetype m_current = -1;
    std::unique_ptr<Step> m_step;
    int m_asked = -1; // request id of the open permission
    int m_calls = 0;
    bool m_cancelled = false;
    bool m_ended = false;
};

} // namespace foundry::runner
