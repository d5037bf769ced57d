// The main job against the real foundry-host process, through the realtime library alone: what the window does, without
// the window.
#include "realtime/commands/hostclient.h"
#include "realtime/connection/httpactorresolver.h"
#include "realtime/transport/websockettransport.h"
#include "tests/support/gitfixture.h"
#include "tests/support/hostprocess.h"

#include <QSignalSpy>
#include <QTest>

using namespace foundry;
using namespace foundry::realtime;
using namespace foundry::tests;
using namespace std::chrono_literals;

namespace {

// Everything a feed said, by type and id.
class Rows : public QObject {
public:
    explicit Rows(TopicFeed &feed)
    {
        connect(&feed, &TopicFeed::replaced, this, [this](const ChangesPage &page) {
            rows.clear();
            put(page.upserts);
        });
        connect(&feed, &TopicFeed::applied, this, [this](const TopicEvent &event) {
            for (const Removal &removal : event.removals)
                rows.remove(removal.type + QLatin1Char('/') + removal.id);
            put(event.upserts);
            for (const TextAppend &append : event.appends) {
                auto row = rows.find(QStringLiteral("TranscriptEntry/%1").arg(append.index));
                if (row != rows.end())
                    std::get<TranscriptEntry>(*row).text += append.text;
            }
        });
    }
    void put(const QList<Entity> &entities)
    {
        for (const Entity &entity : entities)
            rows.insert(protocol::entityType(entity) + QLatin1Char('/') + protocol::entityId(entity), entity);
    }
    template <class T>
    QList<T> all() const
    {
        QList<T> found;
        for (const Entity &entity : rows) {
            if (const T *value = std::get_if<T>(&entity))
                found << *value;
        }
        return found;
    }
    template <class T>
    std::optional<T> one(const QString &id) const
    {
        for (auto it = rows.cbegin(); it != rows.cend(); ++it) {
            if (const T *value = std::get_if<T>(&*it); value && protocol::entityId(*it) == id)
                return *value;
        }
        return std::nullopt;
    }
    QMap<QString, Entity> rows;
};

Endpoint endpointOf(const HostProcess &host)
{
    Endpoint endpoint = Endpoint::parse(host.endpoint).value();
    endpoint.token = host.token;
    return endpoint;
}

struct Window {
    HttpActorResolver resolver{HttpActorResolver::MetadataLookup::Skip};
    HostClient client;
    Rows organization{client.organizationFeed()};

    static HostClientOptions options()
    {
        HostClientOptions options;
        options.times.ping = 1s;
        return options;
    }
    Window()
        : client(resolver, WebSocketTransport::factory(), options())
    {
        client.view();
    }
    std::optional<Repository> repository(const RepoId &id) const { return organization.one<Repository>(id.value); }
    std::optional<TaskSummary> summary(const TaskId &id) const { return organization.one<TaskSummary>(id.value); }
};

CreateTask prompt(const RepoId &repo, const char *text)
{
    CreateTask command;
    command.repoId = repo;
    command.prompt = Prompt{QString::fromLatin1(text)};
    return command;
}

constexpr int longWait = 30000;

} // namespace

class FirstLightTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        m_repository = m_git.makeRepository(QStringLiteral("sample"));
        QVERIFY(m_host.start());
        m_window = std::make_unique<Window>();
        m_window->client.setEndpoint(endpointOf(m_host));
        QTRY_VERIFY(m_window->client.organizationFeed().isCurrent());
        QTRY_VERIFY(m_window->client.overlayFeed().isCurrent());
        QTRY_VERIFY(m_window->client.hostFeed().isCurrent());
    }

    void addRepository()
    {
        std::optional<Result<>> answer;
        m_repo = m_window->client.organization().addRepositoryPath(m_repository, this, [&](const Result<> &r) { answer = r; });
        QTRY_VERIFY(answer);
        QVERIFY2(answer->ok(), answer->ok() ? "" : qPrintable(answer->error().message));
        QTRY_VERIFY_WITH_TIMEOUT(m_window->repository(m_repo) && m_window->repository(m_repo)->state == RepositoryState::Ready, longWait);
    }

    void promptToDiff()
    {
        std::optional<Result<CreateTaskAnswer>> created;
        const TaskId id = m_window->client.createTask(
            prompt(m_repo, "/write NOTES.md first light"), this, [&](const auto &answer) { created = answer; });
        QVERIFY(m_window->summary(id)); // in the same frame
        TaskClient &task = m_window->client.task(m_repo, id);
        Rows rows(task.feed().task());
        Rows changes(task.feed().changes());
        task.feed().view();
        QTRY_VERIFY(created);
        QVERIFY2(created->ok(), created->ok() ? "" : qPrintable(created->error().message));
        QVERIFY(!(*created)->task.branch.isEmpty());

        const SessionId session = (*created)->session.id;
        Rows transcript(task.feed().session(session));
        task.feed().session(session).view();
        std::optional<PermissionAsk> asked;
        QTRY_VERIFY_WITH_TIMEOUT([&] {
            for (const auto &entry : transcript.all<TranscriptEntry>()) {
                if (entry.permission && !entry.permission->answer)
                    asked = entry.permission;
            }
            return asked.has_value();
        }(), longWait);
        QTRY_VERIFY(!m_window->organization.all<Attention>().isEmpty());
        QString allow;
        for (const PermissionOption &option : std::as_const(asked->options)) {
            if (option.kind == QStringLiteral("allow_once"))
                allow = option.id;
        }
        QVERIFY(!allow.isEmpty());
        std::optional<Result<>> answered;
        task.commands().answerPermission(session, asked->requestId, allow, this, [&](const Result<> &r) { answered = r; });
        QTRY_VERIFY(answered && answered->ok());
        QTRY_VERIFY_WITH_TIMEOUT([&] {
            for (const auto &entry : transcript.all<TranscriptEntry>()) {
                if (entry.turnEnd)
                    return true;
            }
            return false;
        }(), longWait);
        QTRY_VERIFY_WITH_TIMEOUT(!changes.all<FileChange>().isEmpty(), longWait);
        const FileChange change = changes.all<FileChange>().constFirst();
        QCOMPARE(change.path, QStringLiteral("NOTES.md"));
        std::optional<DiffPage> diff;
        task.commands().getDiff(change.path, change.scope, {}, this, [&](const Result<DiffPage> &page) {
            if (page && !page->pending)
                diff = *page;
        });
        QTRY_VERIFY_WITH_TIMEOUT(diff, longWait);
        QVERIFY(diff->unified.contains(QStringLiteral("+first light")));
        QTRY_VERIFY(m_window->organization.all<Attention>().isEmpty());
        // What streamed equals what is stored.
        const auto streamed = transcript.all<TranscriptEntry>();
        GetTranscript question;
        question.sessionId = session;
        std::optional<TranscriptPage> stored;
        task.connection().call(QStringLiteral("getTranscript"), protocol::encodeArgs(question), 5s, this,
            [&](const Result<QByteArray> &answer) { stored = *protocol::decodeValue<TranscriptPage>(*answer); });
        QTRY_VERIFY(stored);
        QCOMPARE(streamed.size(), stored->entries.size());
        for (const TranscriptEntry &entry : std::as_const(stored->entries))
            QCOMPARE(transcript.one<TranscriptEntry>(QString::number(entry.index))->text, entry.text);
        task.feed().session(session).leave();
        task.feed().leave();
    }

    void hostStoppedWhileTaskIsCreated()
    {
        m_host.signalIt(SIGSTOP);
        std::optional<Result<CreateTaskAnswer>> created;
        QElapsedTimer clock;
        clock.start();
        const TaskId id = m_window->client.createTask(prompt(m_repo, "/find light"), this, [&](const auto &answer) { created = answer; });
        TaskClient &task = m_window->client.task(m_repo, id);
        Rows rows(task.feed().task());
        task.feed().view();
        task.commands().createSession(std::nullopt, std::nullopt, this, {});
        QVERIFY(clock.elapsed() < 16);
        QVERIFY(m_window->summary(id));
        QTest::qWait(3000); // long enough for the link to be found dead
        QVERIFY(!created);
        m_host.signalIt(SIGCONT);
        QTRY_VERIFY_WITH_TIMEOUT(created, longWait);
        QVERIFY2(created->ok(), created->ok() ? "" : qPrintable(created->error().message));
        QTRY_COMPARE_WITH_TIMEOUT(rows.all<Session>().size(), 2, longWait);
        QTRY_VERIFY_WITH_TIMEOUT(m_window->client.organizationFeed().isCurrent(), longWait);
        int same = 0;
        for (const TaskSummary &summary : m_window->organization.all<TaskSummary>())
            same += summary.title == m_window->summary(id)->title;
        QCOMPARE(same, 1); // sent more than once, made once
        QTRY_VERIFY_WITH_TIMEOUT([&] {
            for (const Session &session : rows.all<Session>()) {
                if (session.status != SessionStatus::Idle && session.status != SessionStatus::Ready)
                    return false;
            }
            return true;
        }(), longWait);
        task.feed().leave();
    }

    void hostKilled()
    {
        const auto before = m_window->organization.all<TaskSummary>();
        QSignalSpy states(&m_window->client, &HostClient::stateChanged);
        m_host.killIt();
        m_window->client.setEndpoint(std::nullopt);
        QVERIFY(!m_window->client.connection().isLive());
        std::optional<Result<CreateTaskAnswer>> created;
        const TaskId id = m_window->client.createTask(prompt(m_repo, "while it was away"), this, [&](const auto &answer) { created = answer; });
        QVERIFY(m_host.start());
        m_window->client.setEndpoint(endpointOf(m_host));
        QTRY_VERIFY_WITH_TIMEOUT(m_window->client.organizationFeed().isCurrent(), longWait);
        QTRY_VERIFY_WITH_TIMEOUT(created && created->ok(), longWait);
        QVERIFY(m_window->summary(id));
        QCOMPARE(m_window->organization.all<TaskSummary>().size(), before.size() + 1);
        QVERIFY(m_window->client.organizationFeed().fetches(FetchReason::Reconnect) >= 1);
    }

    void badInput_data()
    {
        QTest::addColumn<QString>("path");
        QTest::newRow("unknown folder") << QStringLiteral("/nowhere/at/all");
        QTest::newRow("not a repository") << m_git.root();
    }

    void badInput()
    {
        QFETCH(QString, path);
        std::optional<Result<>> answer;
        const RepoId id = m_window->client.organization().addRepositoryPath(path, this, [&](const Result<> &r) { answer = r; });
        // Said at once, or by the row when git had to be asked.
        QTRY_VERIFY_WITH_TIMEOUT((answer && !answer->ok())
                || (m_window->repository(id) && m_window->repository(id)->state == RepositoryState::Error), longWait);
        const Error error = answer && !answer->ok() ? answer->error() : m_window->repository(id)->error.value_or(Error{});
        QVERIFY(!error.message.isEmpty());
        QVERIFY2(!error.action.isEmpty(), qPrintable(error.message));
    }

    void unknownToken()
    {
        Window stranger;
        Endpoint endpoint = endpointOf(m_host);
        endpoint.token = QStringLiteral("forged");
        stranger.client.setEndpoint(endpoint);
        QTRY_COMPARE(stranger.client.connection().state(), ConnectionState::Refused);
        QVERIFY(!stranger.client.organizationFeed().isLoaded());
    }

    void cleanupTestCase()
    {
        m_window.reset();
        m_host.stop();
    }

private:
    test::GitFixture m_git;
    HostProcess m_host;
    std::unique_ptr<Window> m_window;
    QString m_repository;
    RepoId m_repo;
};

QTEST_GUILESS_MAIN(FirstLightTest)
#include "tst_firstlight.moc"
