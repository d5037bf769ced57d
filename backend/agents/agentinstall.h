// Installs one agent of the catalogue with npm, pinned, below <data>/agents/<id>. Asynchronous, with progress, deadline
// and cancel; a half-done installation is removed. npm runs in its own process group, with an argument list.
#pragma once

#include "backend/agents/agentcatalogue.h"
#include "backend/agents/processidentity.h"
#include "models/types/result.h"

#include <QObject>
#include <QProcess>
#include <QProcessEnvironment>
#include <QTimer>
#include <functional>
#include <memory>

namespace foundry::backend {

class AgentInstaller : public QObject {
    Q_OBJECT
public:
    AgentInstaller(QString dataDirectory, const QProcessEnvironment &environment, QObject *parent = nullptr);
    ~AgentInstaller() override;

    // `done` is called once with the absolute path of the program. Errors: agent.npm_missing, no_space, network, install_failed,
    // timeout, cancelled; state.conflict when one is under way here.
    void install(const AgentRow &row, std::function<void(Result<QString>)> done);
    void cancel();
    bool isRunning() const { return m_process != nullptr; }
    void setDeadline(int ms) { m_deadlineMs = ms; }

Q_SIGNALS:
    void progress(const QString &line);

private:
    void finish(Result<QString> result);
    void onFinished(int code, QProcess::ExitStatus status);
    void readLines();
    void endGroup();

    QString m_dataDirectory;
    QProcessEnvironment m_environment;
    std::unique_ptr<QProcess> m_process;
    QTimer m_deadline;
    int m_deadlineMs = 600000;
    AgentRow m_row;
    QString m_staging;
    QString m_target;
    QByteArray m_tail;
    ProcessIdentity m_identity;
    std::optional<Error> m_failure;
    std::function<void(Result<QString>)> m_done;
};

} // namespace foundry::backend
