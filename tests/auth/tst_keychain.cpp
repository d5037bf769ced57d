// A real gnome-keyring on a session bus of its own: stored, read by another run, locked, removed, no keyring, no bus, one
// that hangs. Each step is a run of this program (`--step`) with a keeper, as the window has one; the secret comes in by
// standard input. What was planted is in no file in plain text, no output and no argument list afterwards.
#include "auth/keychainsecretstore.h"
#include "auth/qtkeychainbackend.h"
#include "auth/secretkeeper.h"

#include <QDirIterator>
#include <QFile>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>
#include <QTimer>
#include <QUuid>

#include <csignal>
#include <cstdio>

using namespace foundry;
using namespace foundry::auth;

namespace {

QString key()
{
    return QStringLiteral("host https://example.test:7443 ann");
}

// store|read|remove DEADLINE_MS → one line: what is known afterwards ("yes" or "no"), for this run only or not, the state
int runStep(QCoreApplication &app, const QString &what, int deadlineMs)
{
    KeychainSecretStore store(std::make_unique<QtKeychainBackend>(), std::chrono::milliseconds(deadlineMs));
    SecretKeeper keeper(store);
    QByteArray given;
    if (what != QLatin1StringView("remove")) {
        QFile in;
        if (in.open(stdin, QIODevice::ReadOnly))
            given = in.readAll().trimmed();
    }
    const auto finish = [&](const std::optional<QByteArray> &secret) {
        std::printf("%s %s %s\n", secret && *secret == given ? "yes" : "no", keeper.isForThisRunOnly(key()) ? "run" : "kept",
            keychainStateName(keeper.state()).toLatin1().constData());
        std::fflush(stdout);
        QCoreApplication::exit(0);
    };
    QTimer::singleShot(0, &app, [&] {
        if (what == QLatin1StringView("store"))
            keeper.write(key(), given, &app, [&](const Result<> &) { keeper.read(key(), &app, finish); });
        else if (what == QLatin1StringView("read"))
            keeper.read(key(), &app, finish);
        else
            keeper.remove(key(), &app, [&](const Result<> &) { keeper.read(key(), &app, finish); });
    });
    return QCoreApplication::exec();
}

} // namespace

class TstKeychain : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();
    void storedReadRemoved();
    void locked();
    void noKeyring();
    void noBus();
    void hanging();
    void somethingElseInIt();

private:
    void startBus();
    void startKeyring(bool isUnlocked);
    static void end(std::unique_ptr<QProcess> &process)
    {
        if (!process)
            return;
        process->terminate();
        if (!process->waitForFinished(3000)) {
            process->kill();
            process->waitForFinished(3000);
        }
        process.reset();
    }
    QByteArray step(const QString &what, int deadlineMs = 20000);

    std::unique_ptr<QTemporaryDir> m_dir;
    std::unique_ptr<QProcess> m_bus;
    std::unique_ptr<QProcess> m_keyring;
    QProcessEnvironment m_environment;
    QByteArray m_canary;
    QByteArray m_said; // by all that ran
};

void TstKeychain::init()
{
    m_dir = std::make_unique<QTemporaryDir>();
    m_canary = "fdt_canary_" + QUuid::createUuid().toByteArray(QUuid::Id128);
    m_said.clear();
    m_environment = QProcessEnvironment::systemEnvironment();
    for (const char *name : {"HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"}) {
        const QString folder = m_dir->filePath(QString::fromLatin1(name));
        QVERIFY(QDir().mkpath(folder));
        QVERIFY(QFile::setPermissions(folder, QFileDevice::ReadOwner | QFileDevice::WriteOwner | QFileDevice::ExeOwner));
        m_environment.insert(QString::fromLatin1(name), folder);
    }
    m_environment.remove(QStringLiteral("DBUS_SESSION_BUS_ADDRESS"));
    m_environment.remove(QStringLiteral("DISPLAY"));
}

void TstKeychain::cleanup()
{
    end(m_keyring);
    end(m_bus);
    QVERIFY2(!m_said.contains(m_canary), "the secret was said");
    for (QDirIterator it(m_dir->path(), QDir::Files | QDir::Hidden, QDirIterator::Subdirectories); it.hasNext();) {
        QFile file(it.next());
        if (file.open(QIODevice::ReadOnly))
            QVERIFY2(!file.readAll().contains(m_canary), qPrintable(file.fileName()));
    }
}

// Without service folders: nothing is started by asking for it.
void TstKeychain::startBus()
{
    QFile config(m_dir->filePath(QStringLiteral("bus.conf")));
    QVERIFY(config.open(QIODevice::WriteOnly));
    config.write("<busconfig><type>session</type><listen>unix:path=" + m_dir->filePath(QStringLiteral("bus")).toUtf8()
        + "</listen><policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>");
    config.close();
    m_bus = std::make_unique<QProcess>();
    m_bus->setProcessEnvironment(m_environment);
    m_bus->start(QStringLiteral("dbus-daemon"),
        {QStringLiteral("--config-file"), config.fileName(), QStringLiteral("--nofork"), QStringLiteral("--nopidfile"), QStringLiteral("--print-address")});
    QVERIFY2(m_bus->waitForReadyRead(10000), "the bus does not start");
    m_environment.insert(QStringLiteral("DBUS_SESSION_BUS_ADDRESS"), QString::fromUtf8(m_bus->readLine().trimmed()));
}

void TstKeychain::startKeyring(bool isUnlocked)
{
    m_keyring = std::make_unique<QProcess>();
    m_keyring->setProcessEnvironment(m_environment);
    m_keyring->setProcessChannelMode(QProcess::MergedChannels);
    QStringList arguments{QStringLiteral("--foreground"), QStringLiteral("--components=secrets")};
    if (isUnlocked)
        arguments.append(QStringLiteral("--unlock"));
    m_keyring->start(QStringLiteral("gnome-keyring-daemon"), arguments);
    QVERIFY(m_keyring->waitForStarted(10000));
    m_keyring->write("testpw");
    m_keyring->closeWriteChannel();
    const auto isThere = [this] {
        QProcess ask;
        ask.setProcessEnvironment(m_environment);
        ask.start(QStringLiteral("dbus-send"),
            {QStringLiteral("--session"), QStringLiteral("--print-reply"), QStringLiteral("--dest=org.freedesktop.DBus"), QStringLiteral("/"),
                QStringLiteral("org.freedesktop.DBus.NameHasOwner"), QStringLiteral("string:org.freedesktop.secrets")});
        return ask.waitForFinished(5000) && ask.readAllStandardOutput().contains("boolean true");
    };
    QTRY_VERIFY_WITH_TIMEOUT(isThere(), 15000);
}

QByteArray TstKeychain::step(const QString &what, int deadlineMs)
{
    QProcess run;
    run.setProcessEnvironment(m_environment);
    run.start(QCoreApplication::applicationFilePath(), {QStringLiteral("--step"), what, QString::number(deadlineMs)});
    if (!run.waitForStarted(10000))
        return "did not start";
    QFile arguments(QStringLiteral("/proc/%1/cmdline").arg(run.processId()));
    if (arguments.open(QIODevice::ReadOnly))
        m_said += arguments.readAll();
    run.write(m_canary);
    run.closeWriteChannel();
    if (!run.waitForFinished(30000))
        return "did not end";
    const QByteArray out = run.readAllStandardOutput();
    m_said += out + run.readAllStandardError();
    return out.trimmed();
}

void TstKeychain::storedReadRemoved()
{
    startBus();
    startKeyring(true);
    QCOMPARE(step(QStringLiteral("read")), QByteArray("no kept working"));
    QCOMPARE(step(QStringLiteral("store")), QByteArray("yes kept working"));
    QCOMPARE(step(QStringLiteral("read")), QByteArray("yes kept working")); // by another run
    end(m_keyring);
    startKeyring(true); // and of the keyring itself
    QCOMPARE(step(QStringLiteral("read")), QByteArray("yes kept working"));
    QCOMPARE(step(QStringLiteral("remove")), QByteArray("no kept working"));
    QCOMPARE(step(QStringLiteral("read")), QByteArray("no kept working"));
}

void TstKeychain::locked()
{
    startBus();
    startKeyring(true);
    QCOMPARE(step(QStringLiteral("store")), QByteArray("yes kept working"));
    end(m_keyring);
    startKeyring(false);
    // Known in this run, and said not to be kept.
    QCOMPARE(step(QStringLiteral("store")), QByteArray("yes run locked"));
    QVERIFY(step(QStringLiteral("read")).startsWith("no kept"));
    end(m_keyring);
    startKeyring(true);
    QCOMPARE(step(QStringLiteral("read")), QByteArray("yes kept working"));
}

void TstKeychain::noKeyring()
{
    startBus();
    QCOMPARE(step(QStringLiteral("store")), QByteArray("yes run missing"));
    QCOMPARE(step(QStringLiteral("read")), QByteArray("no kept missing"));
}

void TstKeychain::noBus()
{
    QCOMPARE(step(QStringLiteral("store")), QByteArray("yes run missing"));
    m_environment.insert(QStringLiteral("DBUS_SESSION_BUS_ADDRESS"), QStringLiteral("unix:path=") + m_dir->filePath(QStringLiteral("nobody")));
    QCOMPARE(step(QStringLiteral("store")), QByteArray("yes run missing"));
}

void TstKeychain::hanging()
{
    startBus();
    startKeyring(true);
    QVERIFY(::kill(pid_t(m_keyring->processId()), SIGSTOP) == 0);
    QCOMPARE(step(QStringLiteral("store"), 500), QByteArray("yes run hanging"));
    QCOMPARE(step(QStringLiteral("read"), 500), QByteArray("no kept hanging"));
    QVERIFY(::kill(pid_t(m_keyring->processId()), SIGCONT) == 0);
    QCOMPARE(step(QStringLiteral("store")), QByteArray("yes kept working"));
}

// Under our key, but not from us.
void TstKeychain::somethingElseInIt()
{
    startBus();
    startKeyring(true);
    QProcess other;
    other.setProcessEnvironment(m_environment);
    other.start(QStringLiteral("secret-tool"),
        {QStringLiteral("store"), QStringLiteral("--label=x"), QStringLiteral("user"), key(), QStringLiteral("server"), QStringLiteral("foundry-workbench"),
            QStringLiteral("type"), QStringLiteral("plaintext"), QStringLiteral("xdg:schema"), QStringLiteral("org.qt.keychain")});
    QVERIFY(other.waitForStarted(10000));
    other.write("something else");
    other.closeWriteChannel();
    QVERIFY(other.waitForFinished(10000));
    QCOMPARE(other.exitCode(), 0);
    QCOMPARE(step(QStringLiteral("read")), QByteArray("no kept corrupt"));
}

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    const QStringList words = QCoreApplication::arguments();
    if (words.value(1) == QLatin1StringView("--step"))
        return runStep(app, words.value(2), words.value(3).toInt());
    TstKeychain test;
    return QTest::qExec(&test, argc, argv);
}

#include "tst_keychain.moc"
