// What a real agent needs to work offline: the scripted model server as a process, and for each agent the settings that
// point it there. For tests of the client and of the whole window.
#pragma once

#include <QProcess>
#include <QProcessEnvironment>
#include <QString>

namespace foundry::test {

// Where npm's packages are; an empty path, with the reason, when the test cannot run.
QString agentPackages(QString *reason);

class ScriptedModel {
public:
    // Waits until it listens; false, with the reason, when it cannot start.
    bool start(const QString &logFile, QString *reason);
    ~ScriptedModel();
    QString url() const { return m_url; }

private:
    QProcess m_process;
    QString m_url;
};

// Settings of one agent (claude, codex, opencode) on top of `base`; configuration files are written below `folder`.
QProcessEnvironment agentEnvironment(const QString &agent, const QString &url, const QString &folder, QProcessEnvironment base);

} // namespace foundry::test
