#include "tests/backend_actors/crashrest.h"

#include "models/types/processcommands.h"
#include "models/types/provisioning.h"
#include "tests/support/customagent.h"

#include <QTest>

#include <csignal>

namespace foundry::test {

namespace {

const char *const crashrestOneShot = "p-once";
const char *const crashrestLong = "p-long";

template <class Command>
QByteArray crashrestArguments(const char *request, Command command)
{
    command.requestId = RequestId(QStringLiteral("r-") + QString::fromLatin1(request));
    return protocol::encodeArgs(command);
}

} // namespace

CrashRest::CrashRest(CrashSpot spot)
    : CrashRun(std::move(spot))
{
    m_adopted = m_ids;
    for (HostTask *task : {&m_clashed, &m_refused, &m_givenUp})
        task->repo = m_ids.repo;
    for (const char *branch : {"adopted", "taken"})
        m_git.mustGit(m_repository, {QStringLiteral("branch"), QString::fromLatin1(branch)});
}

QMap<QString, QString> CrashRest::names() const
{
    QMap<QString, QString> known{{m_clone.value, QStringLiteral("clone")}, {m_second.value, QStringLiteral("asking")}, {m_adopted.repo.value, QStringLiteral("repository")}};
    const QList<QPair<const HostTask *, QString>> tasks{{&m_adopted, QStringLiteral("adopted")}, {&m_clashed, QStringLiteral("clashed")},
        {&m_refused, QStringLiteral("refused")}, {&m_givenUp, QStringLiteral("given up")}};
    for (const auto &[task, name] : tasks) {
        known.insert(task->task.value, name);
        known.insert(task->session.value, name + QStringLiteral("'s"));
    }
    return known;
}

void CrashRest::use(const HostTask &task)
{
    m_ids = task;
    m_task.reset();
}

std::unique_ptr<wire::WireClient> CrashRest::opened(const QString &actor, const QStringList &key)
{
    auto client = std::make_unique<wire::WireClient>(m_host->endpoint(), m_host->token());
    if (!client->open(actor, key))
        return nullptr;
    return client;
}

QString CrashRest::order(const char *action, wire::WireClient *client, const QByteArray &arguments)
{
    if (!client)
        return QStringLiteral("no actor for ") + QString::fromLatin1(action);
    const auto answer = client->call(QString::fromLatin1(action), arguments);
    return answer ? QString() : QStringLiteral("%1: %2").arg(QString::fromLatin1(action), answer.error().message);
}

bool CrashRest::repositories()
{
    return addRepository({{RequestId(QStringLiteral("r-repository"))}, m_ids.repo, m_repository, {}})
        && addRepository({{RequestId(QStringLiteral("r-clone"))}, m_clone, {}, QStringLiteral("file://") + m_repository})
        && CrashRun::order("removeRepository", QStringLiteral("removeRepository"), RemoveRepository{{RequestId(QStringLiteral("r-remove"))}, m_clone}, [this] {
               return waitFor([this] { return rowsOf<Repository>(*organization(), QStringLiteral("organization")).size() == 1; }, "the repository to go");
           });
}

bool CrashRest::organizations()
{
    return perform("createOrganization", [this]() -> QString {
        const auto app = opened(QStringLiteral("app"), {QStringLiteral("app")});
        QString asked = order("createOrganization", app.get(), crashrestArguments("team", CreateOrganization{{}, OrganizationId(QStringLiteral("team")), QStringLiteral("Team")}));
        if (!asked.isEmpty())
            return asked;
        return waitFor([this] {
            const auto user = opened(QStringLiteral("user"), {QStringLiteral("user"), QStringLiteral("local")});
            const auto team = opened(QStringLiteral("organization"), {QStringLiteral("org"), QStringLiteral("team")});
            return user && team && rowsOf<Organization>(*user, QStringLiteral("app")).size() == 2 && rowsOf<Organization>(*team, QStringLiteral("organization")).size() == 1;
        }, "the organization");
    });
}

// It answers while it is looked at, and no more once the file is there.
bool CrashRest::addSilentAgent()
{
    AddCustomAgent agent = scriptedAgent(QStringLiteral("silent"));
    agent.requestId = RequestId(QStringLiteral("r-agent-silent"));
    agent.agentId = agentOf("silent");
    const QString script = QStringLiteral("mode=ok; [ -e '%1' ] && mode=silent; exec '%2' $mode --journal '%3'")
                               .arg(m_git.path(QStringLiteral("silence")), agent.command, m_git.path(QStringLiteral("journal-silent")));
    agent.command = QStringLiteral("sh");
    agent.args = {QStringLiteral("-c"), script};
    return CrashRun::order("addCustomAgent", QStringLiteral("addCustomAgent"), agent, [&] {
        return waitFor([&] {
            const auto rows = rowsOf<Agent>(*organization(), QStringLiteral("organization"));
            return std::any_of(rows.begin(), rows.end(), [&](const Agent &row) { return row.id == agent.agentId && row.state == AgentState::Ready; });
        }, "the agent");
    });
}

// Processes of the agent that never answers.
bool CrashRest::isSilentGone() const
{
    for (const QByteArray &line : m_git.read(m_git.root(), QStringLiteral("journal-silent")).split('\n')) {
        if (!line.isEmpty() && lives(line.left(line.indexOf(' ')).toLongLong()))
            return false;
    }
    return true;
}

bool CrashRest::makeTask(const char *what, const char *mode, const std::function<void(CreateTask &)> &change, const Act &then)
{
    CreateTask create = newTask(m_ids, QString::fromLatin1(what));
    create.requestId = RequestId(QStringLiteral("r-task-") + QString::fromLatin1(what));
    create.agent = agentOf(mode);
    change(create);
    return CrashRun::order(what, QStringLiteral("createTask"), create, then);
}

QString CrashRest::untilStatus(SessionStatus wanted)
{
    return waitFor([&] {
        const auto row = task() ? sessionOf(*task(), m_ids.session) : std::nullopt;
        if (!row)
            m_task.reset();
        return row && row->status == wanted;
    }, "the session's status");
}

bool CrashRest::adopted()
{
    const bool made = makeTask("adopted", "options", [](CreateTask &create) {
        create.prompt.reset();
        create.onBranch = QStringLiteral("adopted");
    }, [this] { return untilStatus(SessionStatus::Ready); });
    return made && perform("setModel", [this]() -> QString {
        const QString asked = order("setModel", task(), crashrestArguments("model", SetModel{{}, m_ids.session, QStringLiteral("m2")}));
        return asked.isEmpty() ? waitFor([&] { return sessionOf(*task(), m_ids.session).value_or(Session{}).model == QStringLiteral("m2"); }, "the model") : asked;
    }) && perform("a prompt to the model", [this]() -> QString {
        const QString sent = send(m_ids.session, QStringLiteral("q-model"), QStringLiteral("which"));
        return sent.isEmpty() ? settled(m_ids.session, {}) : sent;
    });
}

bool CrashRest::clash()
{
    use(m_clashed);
    const bool made = makeTask("clashed", "options", [](CreateTask &create) { create.branch = QStringLiteral("taken"); },
        [this] { return untilStatus(SessionStatus::Error); });
    return made && perform("resolveBranchClash", [this]() -> QString {
        const QString asked = order("resolveBranchClash", task(), crashrestArguments("clash", ResolveBranchClash{{}, false, QStringLiteral("free")}));
        return asked.isEmpty() ? settled(m_ids.session, {}) : asked;
    });
}

bool CrashRest::refused()
{
    use(m_refused);
    const bool made = makeTask("refused", "ok", [](CreateTask &) {}, [this] { return untilStatus(SessionStatus::Error); });
    m_git.write(m_git.root(), QStringLiteral("login"), "yes\n");
    return made && perform("retryStage", [this]() -> QString {
        const RetryStage retry{{}, QStringLiteral("session:%1/session_creating").arg(m_ids.session.value)};
        const QString asked = order("retryStage", task(), crashrestArguments("retry", retry));
        return asked.isEmpty() ? settled(m_ids.session, {}) : asked;
    });
}

bool CrashRest::givenUp()
{
    use(m_givenUp);
    m_git.write(m_git.root(), QStringLiteral("silence"), "yes\n");
    const bool made = makeTask("given-up", "silent", [](CreateTask &create) { create.prompt.reset(); }, [this] {
        return waitFor([this] {
            auto *client = task();
            const auto stages = client ? rowsOf<Stage>(*client, QStringLiteral("task")) : QList<Stage>();
            return std::any_of(stages.begin(), stages.end(), [](const Stage &stage) { return stage.id.endsWith(QLatin1StringView("/agent_ready")) && stage.state == StageState::Running; });
        }, "the silent agent");
    });
    return made && perform("cancelProvisioning", [this]() -> QString {
        QString asked = order("cancelProvisioning", task(), crashrestArguments("give-up", CancelProvisioning{}));
        if (!asked.isEmpty())
            return asked;
        const QString left = untilStatus(SessionStatus::Error);
        return left.isEmpty() ? waitFor([this] { return isSilentGone(); }, "the end of the silent agent") : left;
    });
}

std::optional<Process> CrashRest::process(const QString &id)
{
    const auto sandbox = opened(QStringLiteral("sandbox"), {QStringLiteral("org"), QStringLiteral("local"), QStringLiteral("sandbox"), m_adopted.task.value});
    for (const Process &row : sandbox ? rowsOf<Process>(*sandbox, QStringLiteral("processes")) : QList<Process>()) {
        if (row.id.value == id)
            return row;
    }
    return std::nullopt;
}

QByteArray CrashRest::logOf(const QString &id)
{
    const auto sandbox = opened(QStringLiteral("sandbox"), {QStringLiteral("org"), QStringLiteral("local"), QStringLiteral("sandbox"), m_adopted.task.value});
    auto answer = sandbox ? sandbox->call(QStringLiteral("getProcessLogs"), protocol::encodeArgs(GetProcessLogs{ProcessId(id)})) : Result<QByteArray>(QByteArray());
    const auto page = answer ? protocol::decodeValue<ProcessLogPage>(*answer) : Result<ProcessLogPage>(answer.error());
    return page ? page->data : QByteArray();
}

bool CrashRest::processes()
{
    use(m_adopted);
    const auto run = [this](const char *id, const QString &script, bool tty, const std::function<bool(const Process &)> &done) {
        return perform(id, [&]() -> QString {
            CreateProcess create;
            create.processId = ProcessId(QString::fromLatin1(id));
            create.command = QStringLiteral("sh");
            create.args = {QStringLiteral("-c"), QStringLiteral("echo $$ %1 >>'%2'; %3").arg(QString::fromLatin1(id), m_git.path(QStringLiteral("journal-processes")), script)};
            create.tty = tty;
            const auto sandbox = opened(QStringLiteral("sandbox"), {QStringLiteral("org"), QStringLiteral("local"), QStringLiteral("sandbox"), m_adopted.task.value});
            QString asked = order("createProcess", sandbox.get(), crashrestArguments(id, create));
            if (!asked.isEmpty())
                return asked;
            return waitFor([&] {
                const auto row = process(QString::fromLatin1(id));
                return row && (row->status == QLatin1StringView("exited") || done(*row));
            }, id);
        });
    };
    return run(crashrestOneShot, QStringLiteral("echo said"), false, [](const Process &) { return false; })
        && run(crashrestLong, QStringLiteral("echo said; exec sleep 100000"), true, [this](const Process &) { return logOf(QString::fromLatin1(crashrestLong)).contains("said"); });
}

std::optional<Attention> CrashRest::question()
{
    for (const Attention &attention : organization() ? rowsOf<Attention>(*organization(), QStringLiteral("organization")) : QList<Attention>()) {
        if (attention.sessionId == m_second && attention.requestId && attention.reason == AttentionReason::Question)
            return attention;
    }
    return std::nullopt;
}

void CrashRest::answer(const Session &session, const QString &kind)
{
    const auto asked = question();
    if (!asked || !(session.id == m_second))
        return;
    AnswerQuestion given;
    given.sessionId = session.id;
    given.questionRequestId = *asked->requestId;
    given.answer = kind;
    given.values = {{QStringLiteral("branch"), QStringLiteral("main")}, {QStringLiteral("jobs"), QStringLiteral("3")}};
    ask(*task(), QStringLiteral("answerQuestion"), given);
}

// The host ends in the middle of the turn; in its second life the user sends it again and answers.
bool CrashRest::cut()
{
    const bool asked = perform("a question", [this]() -> QString {
        CreateSession create{{}, m_second, agentOf("question"), {}, {}};
        QString made = order("createSession", task(), crashrestArguments("asking", create));
        if (!made.isEmpty())
            return made;
        QString sent = send(m_second, QStringLiteral("q-build"), QStringLiteral("build"));
        if (!sent.isEmpty())
            return sent;
        return waitFor([this] {
            const auto row = task() ? sessionOf(*task(), m_second) : std::nullopt;
            if (row && row->interrupted && row->status == SessionStatus::Idle && ask(*task(), QStringLiteral("resendInterrupted"), ResendInterrupted{{}, m_second}))
                ++m_resends;
            return question().has_value();
        }, "the question");
    });
    if (!asked)
        return false;
    m_host->kill(SIGKILL);
    m_host->waitForEnd(5000);
    if (auto started = startLife(2); !started) {
        m_wrong.append(QStringLiteral("the host does not start again: ") + started.error().message);
        return false;
    }
    return perform("resendInterrupted", [this]() -> QString { return settled(m_second, QStringLiteral("accept")); }) && perform("the rest", [this]() -> QString {
        return waitFor([this] {
            auto *client = organization();
            const auto rows = client ? rowsOf<TaskSummary>(*client, QStringLiteral("organization")) : QList<TaskSummary>();
            const auto waits = [this](const TaskSummary &row) { return row.status != (row.id == m_givenUp.task ? TaskStatus::Error : TaskStatus::Idle); };
            const auto lost = process(QString::fromLatin1(crashrestLong));
            return rows.size() == 4 && std::none_of(rows.begin(), rows.end(), waits) && lost && lost->status == QLatin1StringView("exited");
        }, "the summaries");
    });
}

bool CrashRest::script()
{
    return repositories() && organizations() && addAgent("options") && addAgent("question") && addSilentAgent()
        && addAgent("ok", {QStringLiteral("--login"), m_git.path(QStringLiteral("login"))}) && adopted() && clash() && refused() && givenUp() && processes() && cut();
}

void CrashRest::checkStages(const HostTask &of, bool givenUp)
{
    use(of);
    const QString name = names().value(of.task.value);
    int cancelled = 0;
    for (const Stage &stage : task() ? rowsOf<Stage>(*task(), QStringLiteral("task")) : QList<Stage>()) {
        cancelled += stage.state == StageState::Cancelled ? 1 : 0;
        const bool done = stage.state == StageState::Done || stage.state == StageState::Skipped;
        check(done || (givenUp && stage.state == StageState::Cancelled), QStringLiteral("%1: stage %2 is %3").arg(name, stage.id, stage.state.text()));
    }
    check(!givenUp || cancelled >= 3, QStringLiteral("%1 stages were cancelled").arg(cancelled));
    check(task() && rowsOf<QueuedPrompt>(*task(), QStringLiteral("task")).isEmpty(), name + QStringLiteral(": a prompt waits"));
}

void CrashRest::checkProcesses()
{
    const QByteArray journal = m_git.read(m_git.root(), QStringLiteral("journal-processes"));
    for (const char *id : {crashrestOneShot, crashrestLong}) {
        const auto row = process(QString::fromLatin1(id));
        if (!row || row->status != QLatin1StringView("exited")) {
            check(false, QStringLiteral("process %1 has not ended").arg(QString::fromLatin1(id)));
            continue;
        }
        const bool lost = row->error && row->error->code == QLatin1StringView("lost");
        const bool isLong = id == crashrestLong;
        check(isLong ? lost : row->exitCode == 0 || (lost && m_hit), QStringLiteral("%1: %2").arg(QString::fromLatin1(id), row->error ? row->error->message : QString()));
        const qsizetype runs = journal.count(QByteArray(" ") + id + '\n');
        check(runs == 1 || (runs == 0 && lost && m_hit), QStringLiteral("%1 ran %2 times").arg(QString::fromLatin1(id)).arg(runs));
        // Of a crash before it was read there may be nothing; of a later one all is there.
        check((m_hit && lost && m_spot.life == 1) || logOf(QString::fromLatin1(id)).trimmed() == "said", QStringLiteral("the log of %1 is “%2”").arg(QString::fromLatin1(id), QString::fromUtf8(logOf(QString::fromLatin1(id)))));
    }
    for (const QByteArray &line : journal.split('\n'))
        check(line.isEmpty() || !lives(line.left(line.indexOf(' ')).toLongLong()), QStringLiteral("the process %1 lives").arg(QString::fromUtf8(line)));
}

void CrashRest::checkQuestion()
{
    int open = 0;
    int accepted = 0;
    for (const TranscriptEntry &entry : std::as_const(m_transcripts[m_second.value])) {
        if (!entry.question)
            continue;
        (entry.question->answer == QStringLiteral("accept") ? accepted : open) += 1;
    }
    check(accepted >= 1 && accepted <= (m_hit ? 2 : 1), QStringLiteral("the question was answered %1 times").arg(accepted));
    check(open <= (m_hit ? 3 : 1), QStringLiteral("%1 questions were never answered").arg(open));
}

void CrashRest::verify()
{
    checkStages(m_clashed, false);
    checkStages(m_refused, false);
    checkStages(m_givenUp, true);
    checkStages(m_adopted, false);
    readTranscript(m_ids.session);
    readTranscript(m_second);
    checkTranscript(m_ids.session, "options", {{QStringLiteral("which"), QStringLiteral("end_turn")}});
    QString said;
    for (const TranscriptEntry &entry : std::as_const(m_transcripts[m_ids.session.value])) {
        if (entry.kind == EntryKind::AgentMessage)
            said = entry.text;
    }
    check(said.contains(QLatin1StringView("model=m2")) || said.isEmpty(), QStringLiteral("the agent works with ") + said);
    checkQuestion();
    checkProcesses();
    const QByteArray trees = m_git.mustGit(m_repository, {QStringLiteral("worktree"), QStringLiteral("list"), QStringLiteral("--porcelain")});
    check(trees.count("worktree ") == 5 && !trees.contains("prunable"), QStringLiteral("the work trees are %1").arg(QString::fromUtf8(trees)));
    for (const char *branch : {"adopted", "free"})
        check(trees.contains(QByteArray("branch refs/heads/") + branch + '\n'), QStringLiteral("nothing is on ") + QString::fromLatin1(branch));
    const QByteArray branches = m_git.mustGit(m_repository, {QStringLiteral("branch"), QStringLiteral("--list"), QStringLiteral("--format=%(refname:short)")});
    check(branches.count('\n') == 6, QStringLiteral("the branches are %1").arg(QString::fromUtf8(branches)));
    check(rowsOf<Repository>(*organization(), QStringLiteral("organization")).size() == 1, QStringLiteral("not one repository"));
    check(isSilentGone(), QStringLiteral("the agent that was given up lives"));
}

QString CrashRest::dump()
{
    QString text;
    for (const HostTask &each : {m_clashed, m_refused, m_givenUp, m_adopted}) {
        use(each);
        text += names().value(each.task.value) + QLatin1Char('\n') + CrashRun::dump();
    }
    for (const char *mode : {"options", "question", "silent", "processes"})
        text += QString::fromLatin1(mode) + QLatin1Char('\n') + QString::fromUtf8(m_git.read(m_git.root(), QStringLiteral("journal-%1").arg(QString::fromLatin1(mode))));
    return text;
}

} // namespace foundry::test
