#include "tests/backend_actors/crashrun.h"

#include "tests/support/customagent.h"

#include <QTest>

#include <csignal>

namespace foundry::test {

QString CrashSpot::text() const
{
    if (afterMs >= 0)
        return QStringLiteral("killed after %1 ms").arg(afterMs);
    return name.isEmpty() ? QStringLiteral("no crash") : QStringLiteral("%1|%2|%3").arg(name, before ? QStringLiteral("before") : QStringLiteral("after")).arg(pass);
}

CrashRun::CrashRun(CrashSpot spot)
    : m_spot(std::move(spot))
    , m_repository(m_git.makeRepository(QStringLiteral("project")))
{
    m_ids.task = TaskId(QStringLiteral("t-") + m_ids.task.value);
}

CrashRun::~CrashRun() = default;

AgentId CrashRun::agentOf(const char *mode)
{
    return AgentId(QStringLiteral("crash-") + QString::fromLatin1(mode));
}

QStringList CrashRun::passed(int life) const
{
    return QString::fromUtf8(m_git.read(m_git.root(), QStringLiteral("points-%1").arg(life))).split(QLatin1Char('\n'), Qt::SkipEmptyParts);
}

Result<> CrashRun::startHost(bool crashing)
{
    m_organization.reset();
    m_task.reset();
    m_host = std::make_unique<wire::HostProcess>(m_git.path(QStringLiteral("data")));
    QProcessEnvironment variables = environment();
    if (crashing && !m_spot.name.isEmpty() && m_spot.life == m_life)
        variables.insert(QStringLiteral("FOUNDRY_CRASH_POINT"), m_spot.text());
    else if (crashing && m_spot.name.isEmpty() && m_spot.afterMs < 0)
        variables.insert(QStringLiteral("FOUNDRY_CRASH_LOG"), m_git.path(QStringLiteral("points-%1").arg(m_life)));
    m_host->setEnvironment(variables);
    return m_host->start();
}

Result<> CrashRun::startLife(int life)
{
    m_life = life;
    auto started = startHost(true);
    // Killed while it came up.
    if (!started && !m_hit && !m_spot.name.isEmpty() && m_host->waitForEnd(500) && m_host->wasKilled()) {
        m_hit = true;
        started = startHost(false);
    }
    return started;
}

// Once or, when the host ended meanwhile as it was meant to, again with a new one.
bool CrashRun::perform(const char *what, const Act &act)
{
    for (int tries = 0;; ++tries) {
        const QString problem = act();
        const bool ended = m_host->waitForEnd(problem.isEmpty() ? 0 : 300);
        if (!ended && problem.isEmpty())
            return true;
        if (!ended || m_hit || !m_host->wasKilled() || tries > 0) {
            m_wrong.append(QStringLiteral("%1: %2%3").arg(QString::fromLatin1(what), problem, ended ? QStringLiteral(" (the host has ended)") : QString()));
            m_wrong.append(dump());
            return false;
        }
        m_hit = true;
        if (auto started = startHost(false); !started) {
            m_wrong.append(QStringLiteral("the host does not start again: %1").arg(started.error().message));
            return false;
        }
    }
}

wire::WireClient *CrashRun::organization()
{
    if (!m_organization) {
        if (auto opened = openOrganization(*m_host))
            m_organization = std::move(*opened);
    }
    return m_organization.get();
}

wire::WireClient *CrashRun::task()
{
    if (!m_task) {
        if (auto opened = openTask(*m_host, m_ids))
            m_task = std::move(*opened);
    }
    return m_task.get();
}

QString CrashRun::waitFor(const std::function<bool()> &done, const char *what, int ms)
{
    QElapsedTimer clock;
    clock.start();
    for (;;) {
        if (done())
            return {};
        if (m_spot.afterMs >= 0 && !m_hit && m_host->isRunning() && m_clock.elapsed() >= m_spot.afterMs)
            m_host->kill(SIGKILL);
        if (!m_host->isRunning() || clock.elapsed() > ms)
            return QStringLiteral("waiting for %1").arg(QString::fromLatin1(what));
        QTest::qWait(5);
    }
}

bool CrashRun::addRepository(const AddRepository &add)
{
    return order("addRepository", QStringLiteral("addRepository"), add, [&] {
        return waitFor([&] {
            const auto known = rowsOf<Repository>(*organization(), QStringLiteral("organization"));
            return std::any_of(known.begin(), known.end(), [&](const Repository &row) { return row.id == add.repoId && row.state == RepositoryState::Ready; });
        }, "the repository");
    });
}

bool CrashRun::addAgent(const char *mode, const QStringList &more)
{
    const QString name = QString::fromLatin1(mode);
    AddCustomAgent agent = scriptedAgent(name, QStringList{QStringLiteral("--journal"), m_git.path(QStringLiteral("journal-") + name)} + more);
    agent.requestId = RequestId(QStringLiteral("r-agent-") + name);
    agent.agentId = agentOf(mode);
    return order("addCustomAgent", QStringLiteral("addCustomAgent"), agent, [&] {
        return waitFor([&] {
            const auto rows = rowsOf<Agent>(*organization(), QStringLiteral("organization"));
            return std::any_of(rows.begin(), rows.end(), [&](const Agent &row) { return row.id == agent.agentId && (row.state == AgentState::Ready || row.state == AgentState::NeedsLogin); });
        }, "the agent");
    });
}

QString CrashRun::create()
{
    AddRepository add;
    add.requestId = RequestId(QStringLiteral("r-repository"));
    add.repoId = m_ids.repo;
    add.path = m_repository;
    const bool added = addRepository(add);
    if (!added)
        return QStringLiteral("repository");
    if (!addAgent("ok") || !addAgent("permission"))
        return QStringLiteral("agent");
    CreateTask create = newTask(m_ids, QStringLiteral("first"));
    create.requestId = RequestId(QStringLiteral("r-task"));
    create.agent = agentOf("ok");
    const bool created = order("createTask", QStringLiteral("createTask"), create, [this] { return settled(m_ids.session, {}); });
    return created ? QString() : QStringLiteral("task");
}

// Until the session rests with nothing queued. A cut turn is sent again: the user's click.
QString CrashRun::settled(const SessionId &session, const QString &optionKind)
{
    QString problem;
    const QString waited = waitFor(
        [&] {
            auto *client = task();
            const auto row = client ? sessionOf(*client, session) : std::nullopt;
            if (!row) {
                m_task.reset();
                return false;
            }
            if (row->status == SessionStatus::Error) {
                problem = QStringLiteral("the session failed: %1").arg(row->error ? row->error->message : QString());
                return true;
            }
            if (row->interrupted) {
                if (row->status == SessionStatus::Idle && ask(*client, QStringLiteral("resendInterrupted"), ResendInterrupted{{}, session}))
                    ++m_resends;
                return false;
            }
            if (row->status == SessionStatus::Running && !optionKind.isEmpty())
                answer(*row, optionKind);
            const auto queue = rowsOf<QueuedPrompt>(*client, QStringLiteral("task"));
            return row->status == SessionStatus::Idle
                && std::none_of(queue.begin(), queue.end(), [&](const QueuedPrompt &prompt) { return prompt.sessionId == session; });
        },
        "the session to rest");
    return problem.isEmpty() ? waited : problem;
}

void CrashRun::answer(const Session &session, const QString &optionKind)
{
    for (const Attention &attention : rowsOf<Attention>(*organization(), QStringLiteral("organization"))) {
        if (!(attention.sessionId == session.id) || !attention.requestId)
            continue;
        if (optionKind == QLatin1StringView("cancel")) {
            ask(*task(), QStringLiteral("cancelTurn"), CancelTurn{{}, session.id});
            return;
        }
        AnswerPermission given;
        given.sessionId = session.id;
        given.permissionRequestId = *attention.requestId;
        for (const PermissionOption &option : attention.options) {
            if (option.kind == optionKind)
                given.optionId = option.id;
        }
        ask(*task(), QStringLiteral("answerPermission"), given);
    }
}

QString CrashRun::send(const SessionId &session, const QString &queueId, const QString &text)
{
    SendMessage message;
    message.requestId = RequestId(QStringLiteral("r-") + queueId);
    message.queueId = QueueId(queueId);
    message.sessionId = session;
    message.prompt.text = text;
    auto *client = task();
    if (!client)
        return QStringLiteral("no task");
    auto asked = ask(*client, QStringLiteral("sendMessage"), message);
    return asked ? QString() : asked.error().message;
}

QString CrashRun::run()
{
    if (auto started = startLife(1); !started)
        return started.error().message;
    m_clock.start();
    const bool ok = script();
    if (!ok)
        return m_wrong.join(QLatin1Char('\n'));
    const QStringList wrong = m_wrong;
    verify();
    checkAudit();
    if (!m_hit && m_host->waitForEnd(0) && m_host->wasKilled()) {
        // The point was the last thing that it did, while it was looked at.
        m_hit = true;
        m_wrong = wrong;
        if (auto again = startHost(false); !again)
            return again.error().message;
        if (!perform("the last of it", [this]() -> QString {
                const qint64 since = m_clock.elapsed();
                return waitFor([&] { return m_clock.elapsed() - since > 500; }, "the end");
            }))
            return m_wrong.join(QLatin1Char('\n'));
        verify();
        checkAudit();
    }
    if (!m_wrong.isEmpty())
        m_wrong.append(dump());
    m_organization.reset();
    m_task.reset();
    QTest::qWait(50); // the last acknowledgements
    m_host->stop();
    checkDatabases();
    return m_wrong.join(QLatin1Char('\n'));
}

bool CrashRun::script()
{
    bool ok = create().isEmpty();
    ok = ok && perform("a second prompt", [&]() -> QString {
        const QString sent = send(m_ids.session, QStringLiteral("q-second"), QStringLiteral("second"));
        return sent.isEmpty() ? settled(m_ids.session, {}) : sent;
    });
    ok = ok && perform("a second session", [&]() -> QString {
        CreateSession create{{}, m_second, agentOf("permission"), {}, {}};
        create.requestId = RequestId(QStringLiteral("r-session"));
        auto *client = task();
        if (!client)
            return QStringLiteral("no task");
        if (auto asked = ask(*client, QStringLiteral("createSession"), create); !asked)
            return asked.error().message;
        const QString sent = send(m_second, QStringLiteral("q-third"), QStringLiteral("third"));
        return sent.isEmpty() ? settled(m_second, QStringLiteral("allow_once")) : sent;
    });
    ok = ok && perform("a cancelled turn", [&]() -> QString {
        const QString sent = send(m_second, QStringLiteral("q-fourth"), QStringLiteral("fourth"));
        return sent.isEmpty() ? settled(m_second, QStringLiteral("cancel")) : sent;
    });
    ok = ok && perform("closeSession", [&]() -> QString {
        readTranscript(m_ids.session);
        readTranscript(m_second);
        CloseSession close{{}, m_second};
        close.requestId = RequestId(QStringLiteral("r-close"));
        auto *client = task();
        if (!client)
            return QStringLiteral("no task");
        auto asked = ask(*client, QStringLiteral("closeSession"), close);
        return asked ? waitFor([&] { return sessionOf(*client, m_second).value_or(Session{}).closedAt.has_value(); }, "the close") : asked.error().message;
    });
    ok = ok && perform("the rest", [&]() -> QString {
        return waitFor(
            [&] {
                auto *client = organization();
                const auto rows = client ? rowsOf<TaskSummary>(*client, QStringLiteral("organization")) : QList<TaskSummary>();
                return rows.size() == 1 && rows.first().status == TaskStatus::Idle && rows.first().sessions.size() == 1;
            },
            "the summary");
    });
    // The closed session's agent goes, and everybody hears of it.
    ok = ok && perform("the end of the second agent", [&]() -> QString {
        QString left = waitFor([&] { return processesOf("permission").isEmpty(); }, "the end of the agent");
        QTest::qWait(150);
        return left;
    });
    return ok;
}

QString CrashRun::dump()
{
    QString text;
    if (!m_host || !m_host->isRunning() || !task())
        return text;
    for (const Session &session : rowsOf<Session>(*task(), QStringLiteral("task")))
        text += QStringLiteral("  session %1 %2 %3\n").arg(session.id.value, session.status.text(), session.error ? session.error->message : QString());
    for (const Stage &stage : rowsOf<Stage>(*task(), QStringLiteral("task")))
        text += QStringLiteral("  %1 %2 attempt %3 %4\n").arg(stage.id, stage.state.text()).arg(stage.attempt).arg(stage.error ? stage.error->message + stage.error->detail : stage.message.value_or(QString()));
    for (const SessionId &session : {m_ids.session, m_second}) {
        auto page = task()->call(QStringLiteral("getTranscript"), protocol::encodeArgs(GetTranscript{session, {}, {}, 500}));
        auto read = page ? protocol::decodeValue<TranscriptPage>(*page) : Result<TranscriptPage>(page.error());
        for (const TranscriptEntry &entry : read ? read->entries : QList<TranscriptEntry>())
            text += QStringLiteral("  %1 %2 %3 %4\n").arg(session.value.right(4)).arg(entry.index).arg(entry.kind.text(), entry.turnEnd ? entry.turnEnd->stopReason : entry.text.left(60));
    }
    for (const char *mode : {"ok", "permission"})
        text += QString::fromUtf8(m_git.read(m_git.root(), QStringLiteral("journal-%1").arg(QString::fromLatin1(mode))));
    return text;
}

} // namespace foundry::test
