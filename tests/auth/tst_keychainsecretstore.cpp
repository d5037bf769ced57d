// The rules around a keychain, with one that is working, locked, missing or hanging.
#include "auth/keychainsecretstore.h"

#include <QMap>
#include <QTest>
#include <QTimer>

using namespace foundry;
using namespace foundry::auth;

namespace {

class FakeKeychain final : public KeychainBackend {
public:
    struct State {
        QMap<QString, QByteArray> secrets;
        std::optional<KeychainOutcome> fails;
        bool hangs = false;
        std::function<void(KeychainReply)> late;
    };
    explicit FakeKeychain(State *state)
        : m_state(state)
    {
    }
    void read(const QString &, const QString &key, std::function<void(KeychainReply)> reply) override
    {
        if (m_state->secrets.contains(key))
            give({KeychainOutcome::Done, m_state->secrets.value(key)}, std::move(reply));
        else
            give({KeychainOutcome::NotFound}, std::move(reply));
    }
    void write(const QString &, const QString &key, const QByteArray &secret, std::function<void(KeychainReply)> reply) override
    {
        if (!m_state->fails && !m_state->hangs)
            m_state->secrets.insert(key, secret);
        give({}, std::move(reply));
    }
    void remove(const QString &, const QString &key, std::function<void(KeychainReply)> reply) override
    {
        m_state->secrets.remove(key);
        give({}, std::move(reply));
    }

private:
    void give(KeychainReply made, std::function<void(KeychainReply)> reply)
    {
        if (m_state->fails)
            made = {*m_state->fails, {}, QStringLiteral("its own words")};
        if (m_state->hangs)
            m_state->late = [made, reply = std::move(reply)](const KeychainReply &) { reply(made); };
        else
            QTimer::singleShot(0, QCoreApplication::instance(), [made, reply = std::move(reply)] { reply(made); });
    }
    State *m_state;
};

} // namespace

class KeychainSecretStoreTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void writesReadsRemoves()
    {
        FakeKeychain::State state;
        KeychainSecretStore store(std::make_unique<FakeKeychain>(&state));
        int done = 0;
        store.write(QStringLiteral("k"), "s3", this, [&](const Result<> &r) { done += r.ok(); });
        QTRY_COMPARE(done, 1);
        std::optional<QByteArray> read;
        store.read(QStringLiteral("k"), this, [&](const auto &r) { read = *r; });
        QTRY_COMPARE(read, std::optional<QByteArray>("s3"));
        store.remove(QStringLiteral("k"), this, [&](const Result<> &r) { done += r.ok(); });
        QTRY_COMPARE(done, 2);
        bool missing = false;
        store.read(QStringLiteral("k"), this, [&](const auto &r) { missing = r.ok() && !*r; });
        QTRY_VERIFY(missing);
    }

    void states_data()
    {
        QTest::addColumn<int>("outcome");
        QTest::addColumn<QString>("code");
        QTest::newRow("locked") << int(KeychainOutcome::Locked) << QStringLiteral("keychain_locked");
        QTest::newRow("denied") << int(KeychainOutcome::Denied) << QStringLiteral("keychain_denied");
        QTest::newRow("none") << int(KeychainOutcome::Unavailable) << QStringLiteral("keychain_unavailable");
    }

    void states()
    {
        QFETCH(int, outcome);
        QFETCH(QString, code);
        FakeKeychain::State state;
        state.fails = KeychainOutcome(outcome);
        KeychainSecretStore store(std::make_unique<FakeKeychain>(&state));
        QList<Error> errors;
        store.read(QStringLiteral("k"), this, [&](const auto &r) { errors << r.error(); });
        store.write(QStringLiteral("k"), "s", this, [&](const auto &r) { errors << r.error(); });
        store.remove(QStringLiteral("k"), this, [&](const auto &r) { errors << r.error(); });
        QTRY_COMPARE(errors.size(), 3);
        for (const Error &error : std::as_const(errors)) {
            QCOMPARE(error.code, code);
            QVERIFY(!error.action.isEmpty());
        }
    }

    void hangingIsAnsweredByTheDeadline()
    {
        FakeKeychain::State state;
        state.hangs = true;
        KeychainSecretStore store(std::make_unique<FakeKeychain>(&state), std::chrono::milliseconds(20));
        QStringList codes;
        store.read(QStringLiteral("k"), this, [&](const auto &r) { codes << r.error().code; });
        QTRY_COMPARE(codes, QStringList(QStringLiteral("keychain_timeout")));
        state.late({}); // and what comes after counts for nothing
        QCOMPARE(codes.size(), 1);
    }

    void contextGone()
    {
        FakeKeychain::State state;
        state.hangs = true;
        KeychainSecretStore store(std::make_unique<FakeKeychain>(&state), std::chrono::milliseconds(20));
        auto context = std::make_unique<QObject>();
        bool called = false;
        store.read(QStringLiteral("k"), context.get(), [&](const auto &) { called = true; });
        context.reset();
        state.late({});
        QTest::qWait(40);
        QVERIFY(!called);
    }
};

QTEST_GUILESS_MAIN(KeychainSecretStoreTest)
#include "tst_keychainsecretstore.moc"
