// The whole window in this process over a data folder of its own, to be ended and started again with and without a host.
#pragma once

#include "app/application.h"
#include "backend/launcher/connectinfo.h"
#include "tests/support/gitfixture.h"
#include "views/task/taskpage.h"

#include <QDir>
#include <QTemporaryDir>
#include <QTest>

namespace foundry::tests {

class Workbench {
public:
    static constexpr int patience = 30000;

    Workbench(app::WatchedApplication &qt, QString hostDataDir)
        : m_qt(qt)
        , m_dataDir(std::move(hostDataDir))
    {
        qRegisterMetaType<foundry::LinkState>();
    }

    // Ends the one before. Without a host: none runs, and none can be started.
    void start(bool withHost)
    {
        m_application.reset();
        app::Config config;
        config.hostDataDir = m_dataDir;
        config.hostProgram = withHost ? QStringLiteral(FOUNDRY_BIN_DIR "/foundry-host") : m_dataDir + QStringLiteral("/no-such-program");
        m_application = std::make_unique<app::Application>(m_qt, config);
        m_application->start();
    }
    void close() { m_application.reset(); }
    bool endHost()
    {
        bool ended = false;
        m_application->link().endHost(&m_application->window(), [&] { ended = true; });
        return QTest::qWaitFor([&] { return ended; }, 15000);
    }

    bool is(LinkPhase phase)
    {
        return QTest::qWaitFor([&] { return m_application->link().state().phase == phase && page(); }, patience);
    }
    app::Application &application() { return *m_application; }
    views::MainWindow &window() { return m_application->window(); }
    views::TaskPage *page() { return window().findChild<views::TaskPage *>(); }
    app::Workspace &workspace() { return m_application->workspace(); }
    app::OpenTask *task(const TaskId &id) { return m_application->openTask(id); }

    bool addRepository(const QString &path)
    {
        views::AddRepositoryRequest request;
        request.path = path;
        Q_EMIT window().addRepositoryRequested(request);
        RepositoryListModel &all = workspace().repositories();
        return QTest::qWaitFor([&] { return all.count() == 1 && all.at(0).state == RepositoryState::Ready; }, patience);
    }
    // Answers each permission with its first option meanwhile.
    bool waitForIdle(const TaskId &id)
    {
        return QTest::qWaitFor(
            [&] {
                for (const Attention &attention : workspace().tasks().attentionOf(id)) {
                    if (attention.requestId && attention.sessionId && !attention.options.isEmpty() && !m_answered.contains(*attention.requestId)) {
                        m_answered << *attention.requestId;
                        Q_EMIT window().permissionAnswered(id, *attention.sessionId, *attention.requestId, attention.options.first().id);
                    }
                }
                const TaskRow *row = workspace().tasks().find(id);
                return row && row->task.status.is(TaskStatus::Idle);
            },
            patience);
    }
    // With FOUNDRY_PICTURES a folder: for eyes, light and dark.
    void picture(const QString &name)
    {
        const QString folder = qEnvironmentVariable("FOUNDRY_PICTURES");
        if (folder.isEmpty())
            return;
        for (const auto &[choice, suffix] : {std::pair(views::ThemeChoice::Light, "light"), std::pair(views::ThemeChoice::Dark, "dark")}) {
            m_application->theme().setChoice(choice);
            QTest::qWait(150);
            window().grab().save(QStringLiteral("%1/%2-%3.png").arg(folder, name, QLatin1StringView(suffix)));
        }
    }

private:
    app::WatchedApplication &m_qt;
    QString m_dataDir;
    QStringList m_answered;
    std::unique_ptr<app::Application> m_application;
};

} // namespace foundry::tests
