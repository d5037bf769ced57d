// The main job of the host, through its actors: a repository, a task, the built-in runner, permission, changes, diff.
#include "tests/backend_actors/domainharness.h"

#include <QDir>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

using namespace foundry;
using foundry::test::DomainHarness;

namespace {

QString writePrompt()
{
    return QStringLiteral("/write NOTES.md\n```\nhello\n```");
}

bool has(const QList<TranscriptEntry> &entries, EntryKind kind)
{
    return std::any_of(entries.begin(), entries.end(), [kind](const TranscriptEntry &entry) { return entry.kind == kind; });
}

} // namespace

class tst_TaskFlow : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        m_host = std::make_unique<DomainHarness>();
        m_repository = m_host->git.makeRepository(QStringLiteral("project"));
        m_host->start();
        m_repo = m_host->addRepository(m_repository);
        QCOMPARE(m_host->repository(m_repo)->state.text(), QStringLiteral("ready"));
    }
    void cleanup() { m_host.reset(); }

    void firstTask();
    void cancelAtPermission();
    void secondSessionAndSecondTask();
    void queueIsDeliveredInOrder();
    void adoptABranch();
    void branchClash();
    void bigPrompts();
    void sameRequestTwice();
    void closeAndRename();
    void restartResumesIdleSession();

private:
    QString workTree(const DomainHarness::Made &made)
    {
        const auto tasks = m_host->rows<Task>(made.address, QStringLiteral("task"));
        return tasks.isEmpty() ? QString() : tasks.first().workTree.value_or(QString());
    }
    qint64 turnEnds(const DomainHarness::Made &made)
    {
        const auto entries = m_host->transcript(made.address, made.session);
        return std::count_if(entries.begin(), entries.end(), [](const TranscriptEntry &entry) { return entry.kind == EntryKind::TurnEnd; });
    }

    std::unique_ptr<DomainHarness> m_host;
    QString m_repository;
    RepoId m_repo;
};

void tst_TaskFlow::firstTask()
{
    const auto made = m_host->createTask(m_repo, writePrompt());
    QVERIFY2(!made.error, made.error ? qPrintable(made.error->message) : "");
    QCOMPARE(made.answer.task.status.text(), QStringLiteral("provisioning"));
    QVERIFY(!made.answer.task.branch.isEmpty());
    QCOMPARE(made.answer.session.id, made.session);
    QStringList names;
    for (const Stage &stage : made.answer.stages)
        names.append(stage.id);
    QCOMPARE(names,
        (QStringList{QStringLiteral("sandbox/sandbox_allocated"), QStringLiteral("sandbox/repo_prepared"),
            QStringLiteral("agent:runner/agent_installing"), QStringLiteral("agent:runner/agent_starting"),
            QStringLiteral("agent:runner/agent_ready"), QStringLiteral("session:%1/session_creating").arg(made.session.value),
            QStringLiteral("session:%1/ready").arg(made.session.value)}));

    QVERIFY(m_host->answerPermission(made, QStringLiteral("allow_once")));
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Idle));
    const QList<TranscriptEntry> entries = m_host->transcript(made.address, made.session);
    QCOMPARE(entries.first().kind.text(), QStringLiteral("user_message"));
    QCOMPARE(entries.first().text, writePrompt());
    QVERIFY(has(entries, EntryKind::ToolCall));
    QVERIFY(has(entries, EntryKind::AgentMessage));
    QCOMPARE(entries.last().kind.text(), QStringLiteral("turn_end"));
    QCOMPARE(entries.last().turnEnd->stopReason, QStringLiteral("end_turn"));
    for (qsizetype i = 0; i < entries.size(); ++i)
        QCOMPARE(entries.at(i).index, i);
    const auto asked = std::find_if(entries.begin(), entries.end(), [](const auto &entry) { return entry.kind == EntryKind::Permission; });
    QVERIFY(asked != entries.end());
    QVERIFY(asked->permission->answer.has_value());
    QVERIFY(m_host->rows<Attention>(m_host->organization(), QStringLiteral("organization")).isEmpty());
    QVERIFY(m_host->rows<QueuedPrompt>(made.address, QStringLiteral("task")).isEmpty());

    QVERIFY(QFile::exists(workTree(made) + QStringLiteral("/NOTES.md")));
    QVERIFY(!QFile::exists(m_repository + QStringLiteral("/NOTES.md")));
    QTRY_VERIFY_WITH_TIMEOUT(!m_host->rows<FileChange>(made.address, QStringLiteral("changes")).isEmpty(), 10000);
    const FileChange change = m_host->rows<FileChange>(made.address, QStringLiteral("changes")).first();
    QCOMPARE(change.path, QStringLiteral("NOTES.md"));
    QCOMPARE(change.scope.text(), QStringLiteral("untracked"));
    QVERIFY(change.inLastTurn);
    QTRY_VERIFY_WITH_TIMEOUT(m_host->summary(made.task)->diffStat.has_value() && m_host->summary(made.task)->diffStat->files == 1, 5000);
    QCOMPARE(m_host->summary(made.task)->status.text(), QStringLiteral("idle"));

    GetDiff diff;
    diff.requestId = makeId<RequestId>();
    diff.path = change.path;
    diff.scope = change.scope;
    DiffPage page;
    page.pending = true;
    QTRY_VERIFY_WITH_TIMEOUT(
        (page = *protocol::decodeValue<DiffPage>(*m_host->call(made.address, QStringLiteral("getDiff"), protocol::encodeArgs(diff))), !page.pending), 10000);
    QVERIFY2(page.unified.contains(QStringLiteral("+hello")), qPrintable(page.unified));

    auto log = m_host->call(made.address, QStringLiteral("getStageLog"), "[{\"stageId\":\"sandbox/repo_prepared\"}]");
    QVERIFY(log.ok());
    auto prompts = m_host->call(made.address, QStringLiteral("listPrompts"), "[{\"sessionId\":\"" + made.session.value.toUtf8() + "\"}]");
    QVERIFY(prompts.ok());
    QCOMPARE(QJsonDocument::fromJson(*prompts).object().value(QLatin1StringView("prompts")).toArray().size(), 1);
}

void tst_TaskFlow::cancelAtPermission()
{
    const auto made = m_host->createTask(m_repo, writePrompt());
    QTRY_VERIFY_WITH_TIMEOUT(!m_host->rows<Attention>(m_host->organization(), QStringLiteral("organization")).isEmpty(), 20000);
    QVERIFY(m_host->command(made.address, QStringLiteral("cancelTurn"), CancelTurn{{}, made.session}).ok());
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Idle));
    const QList<TranscriptEntry> entries = m_host->transcript(made.address, made.session);
    QCOMPARE(entries.last().turnEnd->stopReason, QStringLiteral("cancelled"));
    QVERIFY(!QFile::exists(workTree(made) + QStringLiteral("/NOTES.md")));
    QTRY_VERIFY(m_host->rows<Attention>(m_host->organization(), QStringLiteral("organization")).isEmpty());
    for (const TranscriptEntry &entry : entries) {
        if (entry.permission)
            QCOMPARE(entry.permission->answer.value_or(QString()), QStringLiteral("cancelled"));
    }
}

void tst_TaskFlow::secondSessionAndSecondTask()
{
    const auto first = m_host->createTask(m_repo, QStringLiteral("/run sleep 3"));
    QVERIFY(m_host->answerPermission(first, QStringLiteral("allow_once")));
    // While it works: another session in the same sandbox and process, and another task.
    DomainHarness::Made second = first;
    second.session = makeId<SessionId>();
    QVERIFY(m_host->command(first.address, QStringLiteral("createSession"), CreateSession{{}, second.session, {}, {}, {}}).ok());
    SendMessage message;
    message.queueId = makeId<QueueId>();
    message.sessionId = second.session;
    message.prompt.text = QStringLiteral("/help");
    QVERIFY(m_host->command(first.address, QStringLiteral("sendMessage"), message).ok());
    const auto other = m_host->createTask(m_repo, QStringLiteral("/help"));
    QVERIFY(!other.error);
    QVERIFY(m_host->waitForStatus(second, SessionStatus::Idle));
    QVERIFY(m_host->waitForStatus(other, SessionStatus::Idle));
    QCOMPARE(m_host->session(first.address, first.session)->status.text(), QStringLiteral("running"));
    QCOMPARE(m_host->summary(first.task)->status.text(), QStringLiteral("running"));
    QVERIFY(workTree(first) != workTree(other));
    QVERIFY(m_host->waitForStatus(first, SessionStatus::Idle));
}

void tst_TaskFlow::queueIsDeliveredInOrder()
{
    const auto made = m_host->createTask(m_repo, QString());
    QStringList sent;
    for (int i = 0; i < 3; ++i) {
        SendMessage message;
        message.queueId = makeId<QueueId>();
        message.sessionId = made.session;
        message.prompt.text = QStringLiteral("word %1").arg(i);
        sent.append(message.prompt.text);
        QVERIFY(m_host->command(made.address, QStringLiteral("sendMessage"), message).ok());
    }
    QTRY_COMPARE_WITH_TIMEOUT(turnEnds(made), 3, 20000);
    QStringList said;
    for (const TranscriptEntry &entry : m_host->transcript(made.address, made.session)) {
        if (entry.kind == EntryKind::UserMessage)
            said.append(entry.text);
    }
    QCOMPARE(said, sent);
}

void tst_TaskFlow::adoptABranch()
{
    m_host->git.mustGit(m_repository, {QStringLiteral("branch"), QStringLiteral("feature/x")});
    const auto made = m_host->createTask(m_repo, QStringLiteral("/help"), [](CreateTask &task) { task.onBranch = QStringLiteral("feature/x"); });
    QVERIFY(!made.error);
    QCOMPARE(made.answer.stages.first().id, QStringLiteral("sandbox/branch_attach"));
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Idle));
    QCOMPARE(m_host->git.git(workTree(made), {QStringLiteral("branch"), QStringLiteral("--show-current")}).line(), QStringLiteral("feature/x"));
    // A branch belongs to one task.
    const auto again = m_host->createTask(m_repo, QStringLiteral("/help"), [](CreateTask &task) { task.onBranch = QStringLiteral("feature/x"); });
    QVERIFY(again.error && again.error->is(QLatin1StringView("state"), QLatin1StringView("conflict")));
}

void tst_TaskFlow::branchClash()
{
    m_host->git.mustGit(m_repository, {QStringLiteral("branch"), QStringLiteral("taken")});
    m_host->git.mustGit(m_repository, {QStringLiteral("branch"), QStringLiteral("taken2")});
    const auto named = [this](const QString &branch) {
        return m_host->createTask(m_repo, QStringLiteral("/help"), [branch](CreateTask &task) { task.branch = branch; });
    };
    const auto adopts = named(QStringLiteral("taken"));
    QVERIFY(m_host->waitForStatus(adopts, SessionStatus::Error));
    const auto stage = m_host->stage(adopts.address, QStringLiteral("sandbox/repo_prepared"));
    QVERIFY(stage->error && stage->error->code == QLatin1StringView("branch_exists"));
    QVERIFY(!stage->error->action.isEmpty());
    QTRY_COMPARE(m_host->summary(adopts.task)->status.text(), QStringLiteral("error"));
    QTRY_COMPARE(m_host->rows<Attention>(m_host->organization(), QStringLiteral("organization")).size(), 1);
    ResolveBranchClash adopt;
    adopt.adopt = true;
    QVERIFY(m_host->command(adopts.address, QStringLiteral("resolveBranchClash"), adopt).ok());
    QVERIFY(m_host->waitForStatus(adopts, SessionStatus::Idle));
    QCOMPARE(m_host->stage(adopts.address, QStringLiteral("sandbox/repo_prepared"))->attempt, 2);
    QTRY_VERIFY(m_host->rows<Attention>(m_host->organization(), QStringLiteral("organization")).isEmpty());

    const auto renames = named(QStringLiteral("taken2"));
    QVERIFY(m_host->waitForStatus(renames, SessionStatus::Error));
    ResolveBranchClash other;
    other.newName = QStringLiteral("not taken");
    QVERIFY(!m_host->command(renames.address, QStringLiteral("resolveBranchClash"), other).ok());
    other.newName = QStringLiteral("free-name");
    QVERIFY(m_host->command(renames.address, QStringLiteral("resolveBranchClash"), other).ok());
    QVERIFY(m_host->waitForStatus(renames, SessionStatus::Idle));
    QTRY_COMPARE(m_host->summary(renames.task)->branch, QStringLiteral("free-name"));
}

void tst_TaskFlow::bigPrompts()
{
    const auto put = [this](const BlobId &id, const QByteArray &bytes) {
        for (qint64 at = 0; at < bytes.size(); at += 32 * 1024) {
            PutBlob piece;
            piece.blobId = id;
            piece.offset = at;
            piece.data = bytes.mid(at, 32 * 1024);
            piece.last = at + piece.data.size() == bytes.size();
            if (!m_host->command(m_host->organization(), QStringLiteral("putBlob"), piece).ok())
                return false;
        }
        return true;
    };
    QByteArray text;
    for (int i = 0; text.size() < 200 * 1024; ++i)
        text += "Zeile " + QByteArray::number(i) + " mit Umlauten: äöüß\n";
    const BlobId large = makeId<BlobId>();
    QVERIFY(put(large, text));
    const auto made = m_host->createTask(m_repo, QString(), [&](CreateTask &task) { task.prompt = Prompt{{}, large}; });
    QVERIFY(!made.error);
    QCOMPARE(made.answer.task.title, QStringLiteral("Zeile 0 mit Umlauten: äöüß"));
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Idle));
    QString said;
    for (const TranscriptEntry &entry : m_host->transcript(made.address, made.session)) {
        QVERIFY(entry.text.toUtf8().size() <= 16 * 1024);
        if (entry.kind == EntryKind::UserMessage)
            said += entry.text;
    }
    QCOMPARE(said, QString::fromUtf8(text));

    const BlobId huge = makeId<BlobId>();
    QVERIFY(put(huge, QByteArray(1024 * 1024, 'x')));
    const auto refused = m_host->createTask(m_repo, QString(), [&](CreateTask &task) { task.prompt = Prompt{{}, huge}; });
    QVERIFY(refused.error && refused.error->is(QLatin1StringView("input"), QLatin1StringView("too_large")));
    QVERIFY(!refused.error->action.isEmpty());
}

void tst_TaskFlow::sameRequestTwice()
{
    CreateTask create;
    create.requestId = makeId<RequestId>();
    create.taskId = makeId<TaskId>();
    create.sessionId = makeId<SessionId>();
    create.repoId = m_repo;
    create.prompt = Prompt{QStringLiteral("/help")};
    create.agent = AgentId(QStringLiteral("runner"));
    const auto one = m_host->command(m_host->organization(), QStringLiteral("createTask"), create);
    const auto two = m_host->command(m_host->organization(), QStringLiteral("createTask"), create);
    QVERIFY(one.ok() && two.ok());
    QCOMPARE(*one, *two);
    QCOMPARE(m_host->rows<TaskSummary>(m_host->organization(), QStringLiteral("organization")).size(), 1);
    DomainHarness::Made made;
    made.task = create.taskId;
    made.session = create.sessionId;
    made.address = m_host->task(m_repo, create.taskId);
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Idle));
    QCOMPARE(turnEnds(made), 1);
}

void tst_TaskFlow::closeAndRename()
{
    const auto made = m_host->createTask(m_repo, QStringLiteral("/run sleep 60"));
    QVERIFY(m_host->answerPermission(made, QStringLiteral("allow_once")));
    QVERIFY(m_host->command(made.address, QStringLiteral("renameTask"), RenameTask{{}, QStringLiteral("Another  title")}).ok());
    QTRY_COMPARE(m_host->summary(made.task)->title, QStringLiteral("Another title"));
    QVERIFY(m_host->command(made.address, QStringLiteral("renameSession"), RenameSession{{}, made.session, QStringLiteral("Sleeper")}).ok());
    QCOMPARE(m_host->session(made.address, made.session)->name, QStringLiteral("Sleeper"));
    double ms = 0;
    QVERIFY(m_host->command(made.address, QStringLiteral("closeSession"), CloseSession{{}, made.session}, &ms).ok());
    QVERIFY2(ms < 500, qPrintable(QString::number(ms)));
    QVERIFY(m_host->session(made.address, made.session)->closedAt.has_value());
    QTRY_VERIFY(m_host->summary(made.task)->sessions.isEmpty());
    const auto entries = m_host->transcript(made.address, made.session);
    QCOMPARE(entries.last().turnEnd->stopReason, QStringLiteral("cancelled"));
    SendMessage late;
    late.queueId = makeId<QueueId>();
    late.sessionId = made.session;
    late.prompt.text = QStringLiteral("/help");
    QVERIFY(!m_host->command(made.address, QStringLiteral("sendMessage"), late).ok());
}

void tst_TaskFlow::restartResumesIdleSession()
{
    const auto made = m_host->createTask(m_repo, QStringLiteral("/help"));
    QVERIFY(m_host->waitForStatus(made, SessionStatus::Idle));
    const qsizetype before = m_host->transcript(made.address, made.session).size();
    m_host->stop();
    m_host->start();
    QCOMPARE(m_host->session(made.address, made.session)->status.text(), QStringLiteral("idle"));
    QCOMPARE(m_host->transcript(made.address, made.session).size(), before);
    SendMessage message;
    message.queueId = makeId<QueueId>();
    message.sessionId = made.session;
    message.prompt.text = QStringLiteral("/help");
    QVERIFY(m_host->command(made.address, QStringLiteral("sendMessage"), message).ok());
    QTRY_COMPARE_WITH_TIMEOUT(turnEnds(made), 2, 20000);
    QCOMPARE(m_host->stage(made.address, QStringLiteral("agent:runner/agent_starting"))->attempt, 2);
    QVERIFY(has(m_host->transcript(made.address, made.session), EntryKind::Notice));
}

QTEST_GUILESS_MAIN(tst_TaskFlow)
#include "tst_taskflow.moc"
