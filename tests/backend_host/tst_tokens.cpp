// The host's tokens: what holds and what does not, the command line with and without a running host, and what their
// end does to connections that are open. Two users of one organization.
#include "backend/host/tokencommand.h"
#include "tests/backend_host/hosttask.h"
#include "tests/support/gitfixture.h"

#include <QDirIterator>
#include <QNetworkAccessManager>
#include <QNetworkProxy>
#include <QNetworkReply>
#include <QProcess>
#include <QRandomGenerator>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

using namespace foundry;
using namespace foundry::backend;

namespace {

constexpr qint64 kHourMs = 3600000;

struct Ran {
    int code = -1;
    QString out;
    QString err;
};

} // namespace

class TstTokens : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void holdsUntilItEnds();
    void keptAsDigestsOnly();
    void commandLine_data();
    void commandLine();
    void forgedOnesDoNotPass();
    void madeWithoutAHost();
    void endsCloseConnections_data();
    void endsCloseConnections();
    void membersAndOwners();

private:
    static std::unique_ptr<TokenStore> store(const QString &dir, qint64 *now)
    {
        auto opened = TokenStore::open(dir, [now] { return *now; });
        return opened ? std::move(*opened) : nullptr;
    }
    static Ran run(const QString &dataDir, const QStringList &words);
    // Status of a plain request, and its body.
    static std::pair<int, QByteArray> request(
        const wire::HostProcess &host, const QByteArray &verb, const QString &path, const QString &token, const QByteArray &body = {});
    static std::unique_ptr<wire::WireClient> organizationAs(const wire::HostProcess &host, const QString &token);
};

Ran TstTokens::run(const QString &dataDir, const QStringList &words)
{
    QProcess program;
    program.start(QStringLiteral(FOUNDRY_BIN_DIR "/foundry-host"),
        QStringList{QStringLiteral("token")} + words + QStringList{QStringLiteral("--data-dir"), dataDir});
    if (!program.waitForFinished(30000))
        return {};
    return {program.exitCode(), QString::fromUtf8(program.readAllStandardOutput()).trimmed(), QString::fromUtf8(program.readAllStandardError())};
}

std::pair<int, QByteArray> TstTokens::request(
    const wire::HostProcess &host, const QByteArray &verb, const QString &path, const QString &token, const QByteArray &body)
{
    QNetworkAccessManager network;
    network.setProxy(QNetworkProxy::NoProxy);
    QNetworkRequest request(QUrl(host.endpoint() + path));
    request.setRawHeader("Authorization", "Bearer " + token.toUtf8());
    request.setHeader(QNetworkRequest::ContentTypeHeader, QStringLiteral("application/json"));
    QNetworkReply *reply = network.sendCustomRequest(request, verb, body);
    if (!QTest::qWaitFor([reply] { return reply->isFinished(); }, 10000))
        return {};
    return {reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt(), reply->readAll()};
}

std::unique_ptr<wire::WireClient> TstTokens::organizationAs(const wire::HostProcess &host, const QString &token)
{
    auto client = std::make_unique<wire::WireClient>(host.endpoint(), token);
    if (!client->open(QStringLiteral("organization"), {QStringLiteral("org"), QStringLiteral("local")}))
        return nullptr;
    return client;
}

void TstTokens::holdsUntilItEnds()
{
    QTemporaryDir dir;
    qint64 now = 1000 * kHourMs;
    auto tokens = store(dir.path(), &now);
    QVERIFY(tokens);
    QSignalSpy changed(tokens.get(), &TokenStore::changed);
    const auto made = tokens->create(QStringLiteral("ann"), Role::Member, now + kHourMs);
    const auto other = tokens->create(QStringLiteral("ann"), Role::Admin, std::nullopt);
    QVERIFY(made && other);
    QCOMPARE(changed.size(), 2);
    QCOMPARE(tokens->holderOf(made->text)->user, QStringLiteral("token:ann"));
    QCOMPARE(tokens->holderOf(made->text)->id, made->row.id);
    QVERIFY(!tokens->refused(made->row.id));
    QCOMPARE(tokens->roles().value(QStringLiteral("token:ann")), Role::Admin);

    QVERIFY(tokens->revoke(other->row.id));
    QCOMPARE(tokens->holderOf(other->text).error().key(), QStringLiteral("auth.unauthorized"));
    QCOMPARE(tokens->roles().value(QStringLiteral("token:ann")), Role::Member);
    QCOMPARE(tokens->revoke(QStringLiteral("none")).error().key(), QStringLiteral("input.invalid"));

    tokens.reset(); // and it is the same when the host starts again
    tokens = store(dir.path(), &now);
    QVERIFY(tokens->holderOf(made->text));
    QVERIFY(!tokens->holderOf(other->text));
    now += kHourMs;
    QCOMPARE(tokens->holderOf(made->text).error().key(), QStringLiteral("auth.expired"));
    QCOMPARE(tokens->refused(made->row.id)->key(), QStringLiteral("auth.expired"));
    QVERIFY(tokens->roles().isEmpty());
    QCOMPARE(tokens->rows().size(), 2);

    tokens.reset();
    now += 31 * 24 * kHourMs;
    tokens = store(dir.path(), &now);
    QVERIFY(tokens->rows().isEmpty());

    for (const QString &name : {QString(), QStringLiteral("a/b"), QStringLiteral("../x"), QStringLiteral(".x"), QString(65, QLatin1Char('x'))})
        QCOMPARE(tokens->create(name, Role::Member, std::nullopt).error().key(), QStringLiteral("input.invalid"));
    QCOMPARE(tokens->create(QStringLiteral("ann"), Role::Member, now).error().key(), QStringLiteral("input.invalid"));
}

void TstTokens::keptAsDigestsOnly()
{
    QTemporaryDir dir;
    qint64 now = kHourMs;
    auto tokens = store(dir.path(), &now);
    const auto made = tokens->create(QStringLiteral("ann"), Role::Member, std::nullopt);
    QVERIFY(made);
    const QByteArray secret = made->text.section(QLatin1Char('_'), 2).toLatin1();
    QCOMPARE(secret.size(), 64);
    tokens.reset();
    int files = 0;
    for (QDirIterator it(dir.path(), QDir::Files, QDirIterator::Subdirectories); it.hasNext(); ++files) {
        QFile file(it.next());
        QVERIFY(file.open(QIODevice::ReadOnly));
        const QByteArray content = file.readAll();
        QVERIFY2(!content.contains(secret) && !content.contains(QByteArray::fromHex(secret)), qPrintable(file.fileName()));
        QCOMPARE(file.permissions() & (QFileDevice::ReadGroup | QFileDevice::ReadOther), QFileDevice::Permissions());
    }
    QVERIFY(files > 0);
}

void TstTokens::commandLine_data()
{
    QTest::addColumn<QStringList>("words");
    QTest::addColumn<bool>("good");
    const auto row = [](const char *text, bool good) {
        QTest::addRow("%s", text) << QString::fromLatin1(text).split(QLatin1Char(' '), Qt::SkipEmptyParts) << good;
    };
    row("create --user ann", true);
    row("create --user ann --expires 90d --role admin", true);
    row("create --user ann --expires never", true);
    row("create", false);
    row("create --user ann --expires 90", false);
    row("create --user ann --expires 0d", false);
    row("create --user ann --role king", false);
    row("list", true);
    row("list all", false);
    row("revoke", false);
    row("revoke abc", true);
    row("burn abc", false);
    row("list --what", false);
}

void TstTokens::commandLine()
{
    QFETCH(QStringList, words);
    QFETCH(bool, good);
    const auto line = parseTokenCommand(words);
    QCOMPARE(line.ok(), good);
    if (!good)
        QVERIFY(!line.error().message.isEmpty() && !line.error().action.isEmpty());
    else if (words.contains(QStringLiteral("90d")))
        QCOMPARE(line->expiresInMs, std::optional<qint64>(90 * 24 * kHourMs));
}

// 10,000 that are nearly right.
void TstTokens::forgedOnesDoNotPass()
{
    QTemporaryDir dir;
    qint64 now = kHourMs;
    const auto tokens = store(dir.path(), &now);
    const auto good = tokens->create(QStringLiteral("ann"), Role::Owner, std::nullopt);
    const auto expired = tokens->create(QStringLiteral("bob"), Role::Owner, now + 1);
    const auto revoked = tokens->create(QStringLiteral("eve"), Role::Owner, std::nullopt);
    QVERIFY(tokens->revoke(revoked->row.id));
    now += kHourMs;
    const AccessGate gate(QString(64, QLatin1Char('a')), {}, {}, nullptr, tokens.get());
    const quint32 seed = qEnvironmentVariableIsSet("FOUNDRY_SEED") ? qEnvironmentVariableIntValue("FOUNDRY_SEED")
                                                                   : QRandomGenerator::global()->generate();
    qInfo("FOUNDRY_SEED=%u", seed);
    QRandomGenerator random(seed);
    const QString alphabet = QStringLiteral("0123456789abcdef_ \tfdtABC%/\\\u00e9");
    const auto passes = [&](const QString &token) {
        GatewayRoute route;
        route.tokens = QStringList{token};
        return gate.authorize(route).ok();
    };
    QVERIFY(passes(good->text));
    for (int n = 0; n < 10000; ++n) {
        QString token = n % 5 == 0 ? expired->text : n % 5 == 1 ? revoked->text : good->text;
        const int changes = n % 5 < 2 ? 0 : random.bounded(1, 4);
        for (int change = 0; change < changes; ++change) {
            const qsizetype at = random.bounded(int(token.size()));
            switch (random.bounded(4)) {
            case 0:
                token.truncate(at);
                token += QLatin1Char('x'); // so that something is left to change
                break;
            case 1:
                token.remove(at, 1);
                token += QLatin1Char('x');
                break;
            case 2:
                token.insert(at, alphabet.at(random.bounded(int(alphabet.size()))));
                break;
            default:
                token[at] = alphabet.at(random.bounded(int(alphabet.size())));
                break;
            }
        }
        if (token != good->text)
            QVERIFY2(!passes(token), qPrintable(token));
    }
    for (const QString &token : {QString(), QStringLiteral("fdt_"), QStringLiteral("fdt__"), good->row.id, good->text + QLatin1Char('_')})
        QVERIFY2(!passes(token), qPrintable(token));
}

void TstTokens::madeWithoutAHost()
{
    QTemporaryDir dir;
    const QString data = dir.filePath(QStringLiteral("data"));
    QCOMPARE(run(data, {QStringLiteral("list")}).code, 1); // there is nothing there
    const Ran made = run(data, {QStringLiteral("create"), QStringLiteral("--user"), QStringLiteral("ann")});
    QCOMPARE(made.code, 0);
    QVERIFY2(made.out.startsWith(QLatin1StringView("fdt_")) && !made.out.contains(QLatin1Char('\n')), "the token is alone on its line");
    wire::HostProcess host(data);
    QVERIFY(host.start());
    QVERIFY(organizationAs(host, made.out));
    host.stop();
    const QString id = made.out.section(QLatin1Char('_'), 1, 1);
    QVERIFY(run(data, {QStringLiteral("list")}).out.contains(id));
    QCOMPARE(run(data, {QStringLiteral("revoke"), id}).code, 0);
    QVERIFY(run(data, {QStringLiteral("list")}).out.contains(QLatin1StringView("revoked")));
    QVERIFY(host.start());
    QVERIFY(!organizationAs(host, made.out));
    QCOMPARE(request(host, "GET", QStringLiteral("/metrics"), made.out).first, 401);
}

void TstTokens::endsCloseConnections_data()
{
    QTest::addColumn<QString>("how");
    QTest::addColumn<QString>("code");
    QTest::newRow("revoked") << QStringLiteral("revoke") << QStringLiteral("auth.unauthorized");
    QTest::newRow("expired") << QStringLiteral("wait") << QStringLiteral("auth.expired");
    QTest::newRow("given up") << QStringLiteral("current") << QStringLiteral("auth.unauthorized");
}

void TstTokens::endsCloseConnections()
{
    QFETCH(QString, how);
    QFETCH(QString, code);
    wire::HostProcess host;
    QVERIFY(host.start());
    const auto make = [&](const char *expires) {
        const Ran made = run(host.dataDir(),
            {QStringLiteral("create"), QStringLiteral("--user"), QStringLiteral("ann"), QStringLiteral("--expires"), QString::fromLatin1(expires)});
        return made.code == 0 ? made.out : QString();
    };
    const QString ends = make(how == QLatin1StringView("wait") ? "4s" : "1d");
    const QString stays = make("1d"); // of the same user
    const auto gone = organizationAs(host, ends);
    const auto there = organizationAs(host, stays);
    QVERIFY(gone && there);
    if (how == QLatin1StringView("revoke"))
        QCOMPARE(run(host.dataDir(), {QStringLiteral("revoke"), ends.section(QLatin1Char('_'), 1, 1)}).code, 0);
    else if (how == QLatin1StringView("current"))
        QCOMPARE(request(host, "DELETE", QStringLiteral("/tokens/current"), ends).first, 200);
    QTRY_COMPARE_WITH_TIMEOUT(gone->closeReason(), code, 8000);
    QVERIFY(!organizationAs(host, ends));
    QVERIFY(there->call(QStringLiteral("revisions"), "[{}]"));
    QVERIFY(there->closeReason().isEmpty());
}

void TstTokens::membersAndOwners()
{
    test::GitFixture git;
    wire::HostProcess host(git.path(QStringLiteral("data")));
    host.setEnvironment(git.environment());
    QVERIFY(host.start());
    test::HostTask mine;
    test::HostTask theirs;
    theirs.repo = mine.repo;
    QVERIFY(test::addRepository(host, mine.repo, git.makeRepository(QStringLiteral("project"))));
    const auto tokenOf = [&](const char *name, const char *role) {
        return run(host.dataDir(),
            {QStringLiteral("create"), QStringLiteral("--user"), QString::fromLatin1(name), QStringLiteral("--role"), QString::fromLatin1(role)})
            .out;
    };
    const QString ann = tokenOf("ann", "member");
    const QString bob = tokenOf("bob", "admin");
    const auto owner = organizationAs(host, host.token());
    const auto member = organizationAs(host, ann);
    const auto admin = organizationAs(host, bob);
    QVERIFY(owner && member && admin);
    QVERIFY(test::ask(*owner, QStringLiteral("createTask"), test::newTask(mine, {})));
    QVERIFY(test::ask(*member, QStringLiteral("createTask"), test::newTask(theirs, {})));

    const auto removal = [](const test::HostTask &ids) {
        DeleteTask command;
        command.taskId = ids.task;
        return command;
    };
    QCOMPARE(test::ask(*member, QStringLiteral("deleteTask"), removal(mine)).error().key(), QStringLiteral("auth.forbidden"));
    const auto own = test::ask(*member, QStringLiteral("deleteTask"), removal(theirs));
    QVERIFY2(own, own ? "" : qPrintable(own.error().message));
    const auto others = test::ask(*admin, QStringLiteral("deleteTask"), removal(mine));
    QVERIFY2(others, others ? "" : qPrintable(others.error().message));

    // Each has an actor of their own, and nobody that of another.
    wire::WireClient self(host.endpoint(), ann);
    QVERIFY(self.open(QStringLiteral("user"), {QStringLiteral("user"), QStringLiteral("token:ann")}));
    const auto organizations = test::rowsOf<Organization>(self, QStringLiteral("app"));
    QCOMPARE(organizations.size(), 1);
    QCOMPARE(organizations.at(0).role, QStringLiteral("member"));
    wire::WireClient other(host.endpoint(), ann);
    QCOMPARE(other.open(QStringLiteral("user"), {QStringLiteral("user"), QStringLiteral("token:bob")}).error().key(), QStringLiteral("auth.forbidden"));

    // Only owners give tokens, and only who leads may stop the host.
    QCOMPARE(request(host, "GET", QStringLiteral("/tokens"), ann).first, 403);
    QCOMPARE(request(host, "POST", QStringLiteral("/tokens"), bob, "{\"user\":\"eve\",\"role\":\"owner\"}").first, 403);
    QCOMPARE(request(host, "GET", QStringLiteral("/tokens"), host.token()).first, 200);
    QCOMPARE(request(host, "POST", QStringLiteral("/drain"), ann, "{}").first, 403);
    QCOMPARE(request(host, "DELETE", QStringLiteral("/tokens/current"), host.token()).first, 409);
    QVERIFY(host.isRunning());
}

QTEST_GUILESS_MAIN(TstTokens)
#include "tst_tokens.moc"
