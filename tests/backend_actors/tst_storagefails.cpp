// Statements that fail in the databases of a running host: the caller is answered with the error, whoever wrote the
// statement and whether or not its result was looked at; nothing of the command is left, in the files or in memory; the
// same request may be sent again. The statements fail for real: by triggers, and by tables that are not there.
#include "backend/actors/actoraddresses.h"
#include "backend/actors/actorregistry.h"
#include "backend/store/database.h"
#include "tests/backend_actors/lifecycletest.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

#include <algorithm>

using namespace foundry;
using namespace foundry::backend;
using namespace foundry::test;

class tst_StorageFails : public LifecycleTest {
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        begin();
        m_made = ready();
        // What a new task's first look at its work tree finds is on the way to the organization until then.
        QVERIFY(QTest::qWaitFor([this] {
            const auto headers = m_host->rows<ChangesHeader>(m_made.address, QStringLiteral("changes"));
            return !headers.isEmpty() && headers.constFirst().at > 0 && !headers.constFirst().refreshing;
        }, 60000));
        for (qint64 seen = -1; seen != sends(m_made.address); QTest::qWait(200))
            seen = sends(m_made.address);
    }
    void cleanup() { end(); }

    void commands_data();
    void commands();
    void memoryIsTakenBack();
    void ordersThatCannotBeSent();
    void reads();

private:
    std::unique_ptr<Database> file(const ActorAddress &actor)
    {
        auto opened = Database::open(m_host->dataDir() + QStringLiteral("/actors/%1.sqlite").arg(actorIdOf(actor)));
        if (!opened)
            qFatal("%ls", qUtf16Printable(opened.error().message));
        return std::move(*opened);
    }
    void script(const ActorAddress &actor, const QByteArray &sql)
    {
        const auto done = file(actor)->script(sql);
        QVERIFY2(done, done ? "" : qPrintable(done.error().message));
    }
    void mend(const ActorAddress &actor) { script(actor, "DROP TRIGGER broken"); }
    static QByteArray broken(const QByteArray &when, const QByteArray &how = "ABORT")
    {
        return "CREATE TRIGGER broken BEFORE " + when + " BEGIN SELECT RAISE(" + how + ", 'broken for the test'); END";
    }
    // All rows of an actor's topics, and how many messages to others it has given.
    QList<Entity> rows(const ActorAddress &actor)
    {
        QList<Entity> found = m_host->allRows(actor, actor.name == QLatin1StringView("task") ? QStringLiteral("task") : QStringLiteral("organization"));
        // What the background finds out meanwhile is no effect of a command.
        for (Entity &entity : found) {
            if (auto *task = std::get_if<Task>(&entity)) {
                task->git = {};
            } else if (auto *summary = std::get_if<TaskSummary>(&entity)) {
                summary->diffStat.reset();
            } else if (auto *agent = std::get_if<Agent>(&entity)) {
                Agent named;
                named.id = agent->id;
                *agent = named;
            }
        }
        return found;
    }
    qint64 sends(const ActorAddress &actor)
    {
        const auto database = file(actor);
        auto q = database->query("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'");
        return q.next() ? q.integer(0) : 0;
    }

    Made m_made;
};

void tst_StorageFails::commands_data()
{
    QTest::addColumn<bool>("ofTask");
    QTest::addColumn<QByteArray>("when");
    QTest::addColumn<QString>("action");
    QTest::addColumn<QJsonObject>("arguments");
    const QString id = makeUuid7();
    const QJsonObject title{{QStringLiteral("title"), QStringLiteral("Another title")}};
    const QJsonObject custom{{QStringLiteral("agentId"), QStringLiteral("mine")}, {QStringLiteral("name"), QStringLiteral("Mine")}, {QStringLiteral("command"), QStringLiteral("/bin/true")}, {QStringLiteral("args"), QJsonArray{}}};
    QTest::addRow("send") << true << QByteArray("INSERT ON outbox") << QStringLiteral("renameTask") << title;
    QTest::addRow("request") << true << QByteArray("INSERT ON requests") << QStringLiteral("renameTask") << title;
    QTest::addRow("record") << true << QByteArray("INSERT ON record") << QStringLiteral("renameTask") << title;
    QTest::addRow("session") << true << QByteArray("INSERT ON session_states") << QStringLiteral("createSession")
                             << QJsonObject{{QStringLiteral("sessionId"), id}, {QStringLiteral("agent"), QStringLiteral("runner")}};
    QTest::addRow("step") << true << QByteArray("INSERT ON workflow_steps") << QStringLiteral("createSession")
                          << QJsonObject{{QStringLiteral("sessionId"), id}, {QStringLiteral("agent"), QStringLiteral("runner")}};
    QTest::addRow("task index") << false << QByteArray("INSERT ON tasks") << QStringLiteral("createTask")
                                << QJsonObject{{QStringLiteral("taskId"), id}, {QStringLiteral("sessionId"), makeUuid7()}, {QStringLiteral("agent"), QStringLiteral("runner")}};
    QTest::addRow("creation's send") << false << QByteArray("INSERT ON outbox") << QStringLiteral("createTask")
                                     << QJsonObject{{QStringLiteral("taskId"), id}, {QStringLiteral("sessionId"), makeUuid7()}, {QStringLiteral("agent"), QStringLiteral("runner")}};
    QTest::addRow("lifecycle") << false << QByteArray("UPDATE ON tasks") << QStringLiteral("archiveTask") << QJsonObject{{QStringLiteral("taskId"), QStringLiteral("made")}};
    QTest::addRow("repository") << false << QByteArray("INSERT ON repository_places") << QStringLiteral("addRepository")
                                << QJsonObject{{QStringLiteral("repoId"), id}, {QStringLiteral("path"), QStringLiteral("/nowhere/at/all")}};
    QTest::addRow("agent") << false << QByteArray("INSERT ON agent_choices") << QStringLiteral("addCustomAgent") << custom;
}

void tst_StorageFails::commands()
{
    QFETCH(bool, ofTask);
    QFETCH(QByteArray, when);
    QFETCH(QString, action);
    QFETCH(QJsonObject, arguments);
    const ActorAddress actor = ofTask ? m_made.address : m_host->organization();
    arguments.insert(QStringLiteral("requestId"), makeUuid7());
    if (action == QLatin1StringView("createTask"))
        arguments.insert(QStringLiteral("repoId"), m_repo.value);
    else if (action == QLatin1StringView("archiveTask"))
        arguments.insert(QStringLiteral("taskId"), m_made.task.value);
    const QByteArray args = '[' + QJsonDocument(arguments).toJson(QJsonDocument::Compact) + ']';
    // RAISE(ROLLBACK) ends the transaction while the command's code goes on.
    for (const char *how : {"ABORT", "ROLLBACK"}) {
        script(actor, broken(when, how));
        const QList<Entity> before = rows(actor);
        const qint64 sent = sends(actor);
        const auto refused = m_host->call(actor, action, args);
        QVERIFY(!refused);
        QCOMPARE(refused.error().key(), QStringLiteral("internal.storage_failed"));
        QVERIFY2(refused.error().message.contains(QLatin1StringView("broken for the test")), qPrintable(refused.error().message));
        QVERIFY(!refused.error().action.isEmpty());
        // They come by their revisions, and the background moves those on.
        const QList<Entity> after = rows(actor);
        QVERIFY(std::is_permutation(after.cbegin(), after.cend(), before.cbegin(), before.cend()));
        QCOMPARE(sends(actor), sent);
        mend(actor);
    }
    // It was no effect: the same request is done now.
    const auto answer = m_host->call(actor, action, args);
    QVERIFY2(answer, answer ? "" : qPrintable(answer.error().message));
    if (action == QLatin1StringView("createTask"))
        QTRY_COMPARE_WITH_TIMEOUT(m_host->summary(TaskId(arguments.value(QLatin1StringView("taskId")).toString()))->status, TaskStatus::Ready, longMs);
}

// What the failed command told the actor's memory is not what the next one builds on.
void tst_StorageFails::memoryIsTakenBack()
{
    const QString title = m_host->summary(m_made.task)->title;
    script(m_made.address, broken("INSERT ON requests"));
    RenameTask rename;
    rename.title = QStringLiteral("Never stored");
    QVERIFY(!m_host->command(m_made.address, QStringLiteral("renameTask"), rename));
    mend(m_made.address);
    RenameSession session;
    session.sessionId = m_made.session;
    session.name = QStringLiteral("Stored");
    QVERIFY(m_host->command(m_made.address, QStringLiteral("renameSession"), session));
    QTRY_COMPARE(m_host->summary(m_made.task)->sessions.value(0).name, QStringLiteral("Stored"));
    QCOMPARE(m_host->summary(m_made.task)->title, title);
}

// A step whose order could not be recorded ends with that error, not with its deadline.
void tst_StorageFails::ordersThatCannotBeSent()
{
    script(m_made.address, broken("INSERT ON outbox WHEN new.name = 'placeOrder' AND new.json LIKE '%\"what\":\"stop\"%'"));
    const auto ordered = archive(m_made);
    QVERIFY(ordered.ok());
    QVERIFY(QTest::qWaitFor([&] { return job(m_made, ordered->id) && job(m_made, ordered->id)->status == JobStatus::Error; }, 20000));
    QCOMPARE(job(m_made, ordered->id)->error->key(), QStringLiteral("internal.storage_failed"));
    QVERIFY(waitForTask(m_made, TaskStatus::Ready));
    mend(m_made.address);
    QVERIFY(archive(m_made).ok());
    QVERIFY(waitForTask(m_made, TaskStatus::Archived));
}

// What could not be read is not shown as empty.
void tst_StorageFails::reads()
{
    SearchTasks search;
    search.query = m_host->summary(m_made.task)->title.left(3);
    search.limit = 10;
    const auto ask = [&] { return m_host->call(m_host->organization(), QStringLiteral("searchTasks"), protocol::encodeArgs(search)); };
    QVERIFY(ask().ok());
    script(m_host->organization(), "ALTER TABLE tasks RENAME TO elsewhere");
    const auto refused = ask();
    QVERIFY(!refused);
    QCOMPARE(refused.error().key(), QStringLiteral("internal.storage_failed"));
    script(m_host->organization(), "ALTER TABLE elsewhere RENAME TO tasks");
    QVERIFY(ask().ok());
}

QTEST_GUILESS_MAIN(tst_StorageFails)
#include "tst_storagefails.moc"
