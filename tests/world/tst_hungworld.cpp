// While everything outside hangs, every action of every actor answers at once, whatever it asks for can be taken back,
// and the host goes when it is told to. What there is to ask comes from the actors themselves: an action that this test
// has no arguments for fails it.
#include "tests/world/hungworld.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QTest>

#include <algorithm>

using namespace foundry;
using namespace foundry::test;

namespace {

constexpr double hungLimitMs = 100;
constexpr int hungTries = 5;

QJsonObject hungText(const QString &text)
{
    return {{QStringLiteral("text"), text}};
}

} // namespace

class tst_HungWorld : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void everyActionAnswers();
    void whatHangsCanBeTakenBack();
    void quits();

private:
    std::optional<QJsonObject> arguments(const QString &action);
    double median(wire::WireClient *client, const QString &action, int tries, QString *said);

    HungWorld m_world;
    HungTask m_task; // its session runs a program that never ends
    HungTask m_muted; // its agent never answers
};

void tst_HungWorld::initTestCase()
{
    QVERIFY(m_world.start());
    m_task = m_world.createTask(QStringLiteral("/run sleep 100000"), AgentId(QStringLiteral("runner")));
    m_muted = m_world.createTask(QStringLiteral("hello"), m_world.mute);
    QString permission;
    QString option;
    QVERIFY(QTest::qWaitFor([&] {
        const auto asked = m_world.row<Attention>(m_world.organization(), QStringLiteral("organization"),
            [this](const Attention &one) { return one.taskId == m_task.task && one.requestId.has_value(); });
        if (!asked)
            return false;
        permission = *asked->requestId;
        for (const PermissionOption &one : asked->options) {
            if (one.kind == QLatin1StringView("allow_once"))
                option = one.id;
        }
        return true;
    }, 60000));
    QVERIFY(m_world.ask(m_world.task(m_task), QStringLiteral("answerPermission"),
        {{QStringLiteral("sessionId"), m_task.session.value}, {QStringLiteral("permissionRequestId"), permission}, {QStringLiteral("optionId"), option}}).ok());
    // The agent that never answers is up, and its handshake under way.
    QVERIFY(QTest::qWaitFor([&] {
        return m_world.row<Stage>(m_world.task(m_muted), QStringLiteral("task"),
            [](const Stage &one) { return one.id == QLatin1StringView("agent:mute/agent_ready") && one.state == StageState::Running; }).has_value();
    }, 60000));
    // A clone from the port that stays silent is under way.
    QVERIFY(m_world.ask(m_world.organization(), QStringLiteral("addRepository"), {{QStringLiteral("repoId"), makeUuid7()}, {QStringLiteral("url"), m_world.silentUrl()}}).ok());
    m_world.hang();
}

// Arguments that make the action do its work, as far as this world allows; each time anew. Nothing: this test does not
// know the action yet.
std::optional<QJsonObject> tst_HungWorld::arguments(const QString &action)
{
    const QString id = makeUuid7();
    const QString task = m_task.task.value;
    const QString session = m_task.session.value;
    const auto fresh = [this] { return m_world.createTask({}, AgentId(QStringLiteral("runner"))).task.value; };
    const auto named = [](const char *name, const QJsonValue &value) { return QJsonObject{{QString::fromLatin1(name), value}}; };
    if (action == QLatin1StringView("archiveTask") || action == QLatin1StringView("deleteTask") || action == QLatin1StringView("previewDelete"))
        return named("taskId", fresh());
    static const QStringList bare{QStringLiteral("actions"), QStringLiteral("revisions"), QStringLiteral("whoami"), QStringLiteral("metrics"), QStringLiteral("beginSignIn"), QStringLiteral("completeSignIn"),
        QStringLiteral("listSignIns"), QStringLiteral("signOut"), QStringLiteral("revokeSignIn"), QStringLiteral("refreshAgents"), QStringLiteral("cancelProvisioning"), QStringLiteral("refreshChanges"),
        QStringLiteral("push"), QStringLiteral("publishPullRequest"), QStringLiteral("updatePullRequest"), QStringLiteral("markReady"), QStringLiteral("mergePullRequest"), QStringLiteral("rerunChecks"),
        QStringLiteral("requestOverviewRefresh"), QStringLiteral("undoJob"), QStringLiteral("undoRevert")};
    if (bare.contains(action))
        return QJsonObject{};
    const QHash<QString, QJsonObject> known{
        {QStringLiteral("changesSince"), named("topic", QStringLiteral("task"))},
        {QStringLiteral("createOrganization"), {{QStringLiteral("organizationId"), id}, {QStringLiteral("name"), QStringLiteral("Team")}}},
        {QStringLiteral("selectOrganization"), named("organizationId", QStringLiteral("local"))},
        {QStringLiteral("setDefaults"), named("defaults", QJsonObject{})},
        {QStringLiteral("setUnread"), {{QStringLiteral("taskId"), task}, {QStringLiteral("unread"), true}}},
        {QStringLiteral("setSeen"), {{QStringLiteral("taskId"), task}, {QStringLiteral("at"), 1}}},
        {QStringLiteral("setOrder"), {{QStringLiteral("taskId"), task}, {QStringLiteral("order"), 1.5}}},
        {QStringLiteral("setActiveSession"), {{QStringLiteral("taskId"), task}, {QStringLiteral("sessionId"), session}}},
        {QStringLiteral("updateDraft"), {{QStringLiteral("taskId"), task}, {QStringLiteral("sessionId"), session}, {QStringLiteral("draft"), QJsonObject{{QStringLiteral("text"), id}, {QStringLiteral("attachments"), QJsonArray{}}}}}},
        {QStringLiteral("searchTasks"), {{QStringLiteral("query"), QStringLiteral("sleep")}, {QStringLiteral("limit"), 50}}},
        {QStringLiteral("putBlob"), {{QStringLiteral("blobId"), id}, {QStringLiteral("offset"), 0}, {QStringLiteral("dataBase64"), QStringLiteral("Rml4")}, {QStringLiteral("last"), true}}},
        {QStringLiteral("addRepository"), {{QStringLiteral("repoId"), id}, {QStringLiteral("path"), m_world.git.path(QStringLiteral("project"))}}},
        {QStringLiteral("removeRepository"), named("repoId", m_world.repo.value)},
        {QStringLiteral("trustRepository"), {{QStringLiteral("repoId"), m_world.repo.value}, {QStringLiteral("version"), QStringLiteral("1")}}},
        {QStringLiteral("installAgent"), named("agentId", QStringLiteral("claude"))},
        {QStringLiteral("confirmAgent"), named("agentId", m_world.mute.value)},
        {QStringLiteral("loginAgent"), named("agentId", QStringLiteral("codex"))},
        {QStringLiteral("addCustomAgent"), {{QStringLiteral("agentId"), QStringLiteral("a") + id}, {QStringLiteral("name"), QStringLiteral("Another")}, {QStringLiteral("command"), QStringLiteral("/bin/sleep")}, {QStringLiteral("args"), QJsonArray{QStringLiteral("100000")}}}},
        {QStringLiteral("createTask"), {{QStringLiteral("taskId"), id}, {QStringLiteral("sessionId"), makeUuid7()}, {QStringLiteral("repoId"), m_world.repo.value}, {QStringLiteral("prompt"), hungText(QStringLiteral("hello"))}, {QStringLiteral("agent"), QStringLiteral("runner")}}},
        {QStringLiteral("unarchiveTask"), named("taskId", task)},
        {QStringLiteral("restoreTask"), named("taskId", task)},
        {QStringLiteral("runRepoAction"), named("kind", QStringLiteral("sync_repo"))},
        {QStringLiteral("cancelJob"), named("jobId", id)},
        {QStringLiteral("getTranscript"), {{QStringLiteral("sessionId"), session}, {QStringLiteral("limit"), 100}}},
        {QStringLiteral("listPrompts"), {{QStringLiteral("sessionId"), session}, {QStringLiteral("limit"), 100}}},
        {QStringLiteral("searchTranscript"), {{QStringLiteral("query"), QStringLiteral("sleep")}, {QStringLiteral("limit"), 50}}},
        {QStringLiteral("getBlob"), {{QStringLiteral("blobId"), id}, {QStringLiteral("offset"), 0}, {QStringLiteral("limit"), 1000}}},
        {QStringLiteral("getStageLog"), named("stageId", QStringLiteral("sandbox/repo_prepared"))},
        {QStringLiteral("getDiff"), {{QStringLiteral("path"), QStringLiteral("README.md")}, {QStringLiteral("scope"), QStringLiteral("unstaged")}}},
        {QStringLiteral("listDirectory"), named("path", QString())},
        {QStringLiteral("findFiles"), {{QStringLiteral("query"), QStringLiteral("main")}, {QStringLiteral("limit"), 50}}},
        {QStringLiteral("readFile"), {{QStringLiteral("path"), QStringLiteral("README.md")}, {QStringLiteral("offset"), 0}, {QStringLiteral("limit"), 1000}}},
        {QStringLiteral("createSession"), {{QStringLiteral("sessionId"), id}, {QStringLiteral("agent"), m_world.mute.value}}},
        {QStringLiteral("renameSession"), {{QStringLiteral("sessionId"), session}, {QStringLiteral("name"), id}}},
        {QStringLiteral("closeSession"), named("sessionId", id)},
        {QStringLiteral("sendMessage"), {{QStringLiteral("queueId"), id}, {QStringLiteral("sessionId"), session}, {QStringLiteral("prompt"), hungText(QStringLiteral("more"))}}},
        {QStringLiteral("editQueued"), {{QStringLiteral("queueId"), id}, {QStringLiteral("prompt"), hungText(QStringLiteral("other"))}}},
        {QStringLiteral("dropQueued"), named("queueId", id)},
        {QStringLiteral("cancelTurn"), named("sessionId", id)},
        {QStringLiteral("resendInterrupted"), named("sessionId", session)},
        {QStringLiteral("answerPermission"), {{QStringLiteral("sessionId"), session}, {QStringLiteral("permissionRequestId"), id}, {QStringLiteral("optionId"), QStringLiteral("allow")}}},
        {QStringLiteral("answerQuestion"), {{QStringLiteral("sessionId"), session}, {QStringLiteral("questionRequestId"), id}, {QStringLiteral("answer"), QStringLiteral("cancel")}}},
        {QStringLiteral("setModel"), {{QStringLiteral("sessionId"), session}, {QStringLiteral("model"), QStringLiteral("large")}}},
        {QStringLiteral("setMode"), {{QStringLiteral("sessionId"), session}, {QStringLiteral("mode"), QStringLiteral("ask")}}},
        {QStringLiteral("setOption"), {{QStringLiteral("sessionId"), session}, {QStringLiteral("optionId"), QStringLiteral("o")}, {QStringLiteral("value"), QStringLiteral("v")}}},
        {QStringLiteral("renameTask"), named("title", id)},
        {QStringLiteral("retryStage"), named("stageId", QStringLiteral("agent:runner/agent_starting"))},
        {QStringLiteral("resolveBranchClash"), {{QStringLiteral("adopt"), false}, {QStringLiteral("newName"), id}}},
        {QStringLiteral("revert"), named("paths", QJsonArray{QStringLiteral("README.md")})},
        {QStringLiteral("commit"), named("message", QStringLiteral("All of it"))},
        {QStringLiteral("createProcess"), {{QStringLiteral("processId"), id}, {QStringLiteral("command"), QStringLiteral("git")}, {QStringLiteral("args"), QJsonArray{QStringLiteral("status")}}, {QStringLiteral("tty"), true}, {QStringLiteral("cols"), 80}, {QStringLiteral("rows"), 24}}},
        {QStringLiteral("writeInput"), {{QStringLiteral("processId"), id}, {QStringLiteral("dataBase64"), QStringLiteral("bHMK")}}},
        {QStringLiteral("resizeTerminal"), {{QStringLiteral("processId"), id}, {QStringLiteral("cols"), 100}, {QStringLiteral("rows"), 30}}},
        {QStringLiteral("stopProcess"), named("processId", id)},
        {QStringLiteral("killProcess"), named("processId", id)},
        {QStringLiteral("deleteProcess"), named("processId", id)},
        {QStringLiteral("getProcessLogs"), {{QStringLiteral("processId"), id}, {QStringLiteral("limit"), 1000}}},
        {QStringLiteral("list"), {{QStringLiteral("limit"), 200}, {QStringLiteral("filters"), QJsonObject{}}}},
        {QStringLiteral("exportLines"), named("limit", 500)},
    };
    const auto found = known.constFind(action);
    return found == known.cend() ? std::nullopt : std::optional<QJsonObject>(*found);
}

double tst_HungWorld::median(wire::WireClient *client, const QString &action, int tries, QString *said)
{
    QList<double> times;
    for (int i = 0; i < tries; ++i) {
        const auto args = arguments(action);
        double ms = 0;
        const auto answer = m_world.ask(client, action, *args, &ms);
        *said = answer ? QStringLiteral("ok") : answer.error().key();
        times.append(ms);
    }
    std::sort(times.begin(), times.end());
    return times.at(times.size() / 2);
}

void tst_HungWorld::everyActionAnswers()
{
    const QStringList organization{QStringLiteral("org"), QStringLiteral("local")};
    const QList<QPair<QString, QStringList>> actors{{QStringLiteral("app"), {QStringLiteral("app")}}, {QStringLiteral("user"), {QStringLiteral("user"), QStringLiteral("local")}},
        {QStringLiteral("organization"), organization}, {QStringLiteral("repository"), organization + QStringList{QStringLiteral("repo"), m_world.repo.value}},
        {QStringLiteral("task"), m_task.key()}, {QStringLiteral("sandbox"), m_task.sandbox()}, {QStringLiteral("audit-log"), organization + QStringList{QStringLiteral("audit-log")}}};
    struct Line {
        double ms = 0;
        QString name;
        QString said;
    };
    QList<Line> lines;
    for (const auto &[actor, key] : actors) {
        wire::WireClient *client = m_world.client(actor, key);
        const auto listed = m_world.ask(client, QStringLiteral("actions"), {});
        QVERIFY2(listed.ok(), qPrintable(actor));
        const QJsonObject names = QJsonDocument::fromJson(*listed).object();
        QStringList actions;
        for (const char *kind : {"reads", "commands"}) {
            const QJsonArray some = names.value(QLatin1StringView(kind)).toArray();
            for (const auto &name : some)
                actions.append(name.toString());
        }
        QVERIFY2(actions.size() >= 3, qPrintable(actor));
        for (const QString &action : std::as_const(actions)) {
            QVERIFY2(arguments(action).has_value(), qPrintable(QStringLiteral("%1.%2 is new: give it arguments here").arg(actor, action)));
            Line line;
            line.name = actor + QLatin1Char('.') + action;
            line.ms = median(client, action, hungTries, &line.said);
            // A busy machine is not a waiting host: what looks slow is asked again, more often.
            if (line.ms > hungLimitMs)
                line.ms = qMin(line.ms, median(client, action, 3 * hungTries, &line.said));
            lines.append(line);
            QVERIFY2(line.said != QLatin1StringView("actor.action_not_found") && !line.said.startsWith(QLatin1StringView("protocol.")) && !line.said.startsWith(QLatin1StringView("client.")),
                qPrintable(line.name + QLatin1Char(' ') + line.said));
        }
    }
    std::sort(lines.begin(), lines.end(), [](const Line &a, const Line &b) { return a.ms > b.ms; });
    const double p99 = lines.at(lines.size() / 100).ms;
    qInfo("%lld actions, p99 %.1f ms; the slowest:", qlonglong(lines.size()), p99);
    for (const Line &line : lines.mid(0, 12))
        qInfo("  %7.1f ms  %-34ls %ls", line.ms, qUtf16Printable(line.name), qUtf16Printable(line.said));
    QVERIFY2(p99 <= hungLimitMs, qPrintable(lines.first().name));
}

void tst_HungWorld::whatHangsCanBeTakenBack()
{
    // A second session beside the one that runs.
    const QString second = makeUuid7();
    wire::WireClient *task = m_world.task(m_task);
    QVERIFY(m_world.ask(task, QStringLiteral("createSession"), {{QStringLiteral("sessionId"), second}, {QStringLiteral("agent"), QStringLiteral("runner")}}).ok());
    QVERIFY(m_world.session(m_task, SessionId(second)).has_value());
    QVERIFY(QTest::qWaitFor([&] { return m_world.session(m_task, SessionId(second))->status == SessionStatus::Ready; }, 30000));
    // A turn that hangs is cancelled, and its session closed.
    QVERIFY(m_world.session(m_task, m_task.session)->status == SessionStatus::Running);
    QVERIFY(m_world.ask(task, QStringLiteral("closeSession"), {{QStringLiteral("sessionId"), m_task.session.value}}).ok());
    QVERIFY(m_world.session(m_task, m_task.session)->closedAt.has_value());
    // Provisioning that hangs is cancelled.
    const HungTask stuck = m_world.createTask(QStringLiteral("hello"), AgentId(QStringLiteral("runner")));
    QVERIFY(m_world.ask(m_world.task(stuck), QStringLiteral("cancelProvisioning"), {}).ok());
    QVERIFY(QTest::qWaitFor([&] { return m_world.session(stuck, stuck.session)->status == SessionStatus::Error; }, 10000));
    // An archiving that hangs: hidden at once, then cancelled, then asked for again.
    const auto archived = m_world.ask(m_world.organization(), QStringLiteral("archiveTask"), {{QStringLiteral("taskId"), m_task.task.value}});
    QVERIFY(archived.ok());
    QCOMPARE(m_world.summary(m_task)->status.text(), QStringLiteral("archiving"));
    const auto job = protocol::decodeValue<JobAnswer>(*archived);
    QVERIFY(job.ok());
    QVERIFY(QTest::qWaitFor([&] {
        const auto row = m_world.row<Job>(task, QStringLiteral("task"), [&](const Job &one) { return one.id == job->job.id; });
        return row && row->step == QStringLiteral("save");
    }, 30000));
    QVERIFY(m_world.ask(task, QStringLiteral("cancelJob"), {{QStringLiteral("jobId"), job->job.id}}).ok());
    QVERIFY(QTest::qWaitFor([&] { return m_world.summary(m_task)->status != TaskStatus::Archiving; }, 10000));
    QVERIFY(m_world.ask(m_world.organization(), QStringLiteral("archiveTask"), {{QStringLiteral("taskId"), m_task.task.value}}).ok());
    QVERIFY(m_world.ask(m_world.organization(), QStringLiteral("deleteTask"), {{QStringLiteral("taskId"), m_muted.task.value}}).ok());
    QCOMPARE(m_world.summary(m_muted)->status.text(), QStringLiteral("deleting"));
}

void tst_HungWorld::quits()
{
    QVERIFY(!m_world.processes().isEmpty()); // things do hang
    m_world.stopHost();
    QVERIFY2(QTest::qWaitFor([this] { return !m_world.isRunning(); }, 20000), "the host does not go");
    QVERIFY2(QTest::qWaitFor([this] { return m_world.processes().isEmpty(); }, 10000), qPrintable(m_world.processes().join(QLatin1Char('\n'))));
}

QTEST_GUILESS_MAIN(tst_HungWorld)
#include "tst_hungworld.moc"
