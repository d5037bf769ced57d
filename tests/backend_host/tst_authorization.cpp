// Who may do what: the rule, its replica, and the door that asks it.
#include "backend/host/accessgate.h"
#include "backend/host/server.h"
#include "tests/backend_host/testactor.h"

#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <QWebSocket>
#include <QWebSocketHandshakeOptions>

using namespace foundry;
using namespace foundry::backend;

namespace {

ActorAddress authorizationActor(const QString &name, const QString &key)
{
    return {name, key.split(QLatin1Char('/'))};
}

// Tokens of other users, as the store of them answers.
class Tokens final : public TokenDirectory {
public:
    Result<TokenHolder> holderOf(const QString &token) const override
    {
        for (const char *user : {"ann", "bob", "eve"}) {
            const QString name = QString::fromLatin1(user);
            if (token == QStringLiteral("token-") + name)
                return TokenHolder{name, name};
        }
        return makeError(QLatin1StringView("auth"), QLatin1StringView("unauthorized"), QStringLiteral("No such token."));
    }
    std::optional<Error> refused(const QString &) const override { return std::nullopt; }
};

} // namespace

class TstAuthorization : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void rule_data();
    void rule();
    void replica();
    void gate();
    void removalClosesConnections();
};

void TstAuthorization::rule_data()
{
    QTest::addColumn<QString>("user");
    QTest::addColumn<QString>("role");
    QTest::addColumn<QString>("name");
    QTest::addColumn<QString>("key");
    QTest::addColumn<QString>("action");
    QTest::addColumn<bool>("may");
    const auto row = [](const char *user, const char *role, const char *name, const char *key, const char *action, bool may) {
        QTest::addRow("%s as %s: %s.%s", user, role, name, action)
            << QString::fromLatin1(user) << QString::fromLatin1(role) << QString::fromLatin1(name) << QString::fromLatin1(key)
            << QString::fromLatin1(action) << may;
    };
    for (const char *role : {"owner", "admin", "member", ""}) {
        const bool in = *role != 0;
        const bool leads = QLatin1StringView(role) == QLatin1StringView("owner") || QLatin1StringView(role) == QLatin1StringView("admin");
        row("ann", role, "organization", "org/acme", "createTask", in);
        row("ann", role, "organization", "org/acme", "changesSince", in);
        row("ann", role, "organization", "org/acme", "deleteTask", in); // whose task it is, only the organization knows
        row("ann", role, "task", "org/acme/task/r/t", "sendMessage", in);
        row("ann", role, "sandbox", "org/acme/sandbox/s", "createProcess", in);
        row("ann", role, "audit-log", "org/acme/audit-log", "list", in);
        for (const char *setting : {"confirmAgent", "installAgent", "addCustomAgent", "loginAgent", "trustRepository"})
            row("ann", role, "organization", "org/acme", setting, leads);
        row("ann", role, "app", "app", "whoami", true);
        row("ann", role, "app", "app", "createOrganization", true);
        row("ann", role, "app", "app", "metrics", leads);
        row("ann", role, "app", "app", "drain", leads);
        row("ann", role, "user", "user/ann", "setDefaults", true);
        row("ann", role, "user", "user/bob", "changesSince", false);
        row("ann", role, "user", "user/local", "changesSince", false);
        row("ann", role, "user", "user/ann/more", "changesSince", false);
    }
}

void TstAuthorization::rule()
{
    QFETCH(QString, user);
    QFETCH(QString, role);
    QFETCH(QString, name);
    QFETCH(QString, key);
    QFETCH(QString, action);
    QFETCH(bool, may);
    const auto refused = refuseAction(user, roleFromText(role), authorizationActor(name, key), action);
    QCOMPARE(!refused, may);
    if (refused) {
        QCOMPARE(refused->key(), QStringLiteral("auth.forbidden"));
        QVERIFY(!refused->message.isEmpty() && !refused->action.isEmpty());
    }
}

void TstAuthorization::replica()
{
    Memberships members;
    int losses = 0;
    members.onLoss([&] { ++losses; });
    const QString acme = QStringLiteral("acme");
    const QString ann = QStringLiteral("ann");
    QCOMPARE(members.roleOf(QStringLiteral("local"), QStringLiteral("local")), Role::Owner);
    QCOMPARE(members.roleOf(ann, QStringLiteral("local")), Role::None);
    QCOMPARE(members.roleOf(ann, {}), Role::None);
    members.setMembership(acme, ann, Role::Member);
    members.setMembership(acme, ann, Role::Admin);
    QCOMPARE(losses, 0);
    QCOMPARE(members.roleOf(ann, acme), Role::Admin);
    members.setMembership(acme, ann, Role::Member);
    QCOMPARE(losses, 1);
    members.setMembership(acme, ann, Role::None);
    QCOMPARE(losses, 2);
    QCOMPARE(members.roleOf(ann, acme), Role::None);
    QVERIFY(members.knows(acme));
    members.setMemberships({{acme, {{ann, Role::Owner}}}});
    QCOMPARE(members.roleOf(ann, acme), Role::Owner);
    members.setMemberships({});
    QCOMPARE(members.roleOf(ann, acme), Role::None);
}

void TstAuthorization::gate()
{
    Memberships members;
    members.setMemberships({{QStringLiteral("acme"), {{QStringLiteral("ann"), Role::Member}, {QStringLiteral("bob"), Role::Owner}}}});
    const Tokens tokens;
    const AccessGate gate(QStringLiteral("s3cret"), {}, {}, &members, &tokens);
    const auto who = [&](const char *token) {
        GatewayRoute route;
        route.tokens = QStringList{QString::fromLatin1(token)};
        return gate.authorize(route);
    };
    QCOMPARE(who("s3cret")->userId, QStringLiteral("local"));
    QCOMPARE(who("token-ann")->userId, QStringLiteral("ann"));
    QCOMPARE(who("token-nobody").error().key(), QStringLiteral("auth.unauthorized"));
    const ActorAddress acme = authorizationActor(QStringLiteral("organization"), QStringLiteral("org/acme"));
    QCOMPARE(gate.callerAt(*who("token-ann"), acme).role, Role::Member);
    QVERIFY(!gate.refuseConnection(*who("token-ann"), acme));
    QCOMPARE(gate.refuseAction(*who("token-ann"), acme, QStringLiteral("confirmAgent"))->key(), QStringLiteral("auth.forbidden"));
    QVERIFY(!gate.refuseAction(*who("token-bob"), acme, QStringLiteral("confirmAgent")));
    QCOMPARE(gate.refuseConnection(*who("s3cret"), acme)->key(), QStringLiteral("auth.forbidden"));
    QCOMPARE(gate.refuseConnection(*who("token-bob"), authorizationActor(QStringLiteral("organization"), QStringLiteral("org/none")))->key(),
        QStringLiteral("actor.not_found"));
}

void TstAuthorization::removalClosesConnections()
{
    QTemporaryDir dir;
    HostConfig config;
    config.dataDir = dir.path();
    config.token = QStringLiteral("s3cret");
    RuntimeOptions options;
    options.dataDir = config.dataDir;
    const auto world = std::make_shared<TestWorld>();
    Memberships members;
    members.setMembership(QStringLiteral("acme"), QStringLiteral("local"), Role::Member);
    Deliveries deliveries;
    ActorFactory organization = TestActor::factory(QStringLiteral("organization"), world);
    organization.keyMatches = [](const QStringList &key) { return key.value(0) == QLatin1StringView("org"); };
    ActorRuntime runtime(options, {TestActor::factory(QStringLiteral("test"), world), organization});
    QVERIFY(runtime.open(&deliveries));
    Server server(config, runtime, deliveries, &members);
    QVERIFY(server.listen());
    const auto connectTo = [&](const QString &path, QWebSocket &socket) {
        QWebSocketHandshakeOptions handshake;
        handshake.setSubprotocols({QStringLiteral("rivet"), QStringLiteral("rivet_encoding.json"), QStringLiteral("rivet_token.s3cret")});
        QUrl url(server.endpoint() + path);
        url.setScheme(QStringLiteral("ws"));
        socket.open(QNetworkRequest(url), handshake);
    };
    QWebSocket there;
    QWebSocket mine;
    QSignalSpy init(&there, &QWebSocket::textMessageReceived);
    QSignalSpy mineInit(&mine, &QWebSocket::textMessageReceived);
    connectTo(QStringLiteral("/gateway/organization/connect?rvt-method=getOrCreate&rvt-key=org,acme"), there);
    connectTo(QStringLiteral("/gateway/test/connect?rvt-method=getOrCreate&rvt-key=t,a"), mine);
    QTRY_VERIFY(init.size() == 1 && mineInit.size() == 1);

    // What a member may not do is answered, and the connection stays.
    there.sendTextMessage(QStringLiteral(R"({"body":{"tag":"ActionRequest","val":{"id":["$BigInt","1"],"name":"confirmAgent","args":[{}]}}})"));
    QTRY_COMPARE(init.size(), 2);
    QVERIFY(init.at(1).first().toString().contains(QLatin1StringView("forbidden")));
    QCOMPARE(there.state(), QAbstractSocket::ConnectedState);

    members.setMembership(QStringLiteral("acme"), QStringLiteral("local"), Role::None);
    QTRY_COMPARE(there.state(), QAbstractSocket::UnconnectedState);
    QCOMPARE(there.closeReason(), QStringLiteral("auth.forbidden"));
    QCOMPARE(mine.state(), QAbstractSocket::ConnectedState);
    mine.close();
    bool stopped = false;
    runtime.stop([&] { stopped = true; });
    QTRY_VERIFY(stopped);
}

QTEST_GUILESS_MAIN(TstAuthorization)
#include "tst_authorization.moc"
