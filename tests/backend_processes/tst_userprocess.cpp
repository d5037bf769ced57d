// Processes of users with real shells: terminals, groups, grandchildren, descriptors, floods.
#include "backend/processes/processplace.h"
#include "backend/processes/userprocess.h"

#include <QCryptographicHash>
#include <QDir>
#include <QFile>
#include <QProcess>
#include <QRegularExpression>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>
#include <QTimer>

#include <csignal>
#include <fcntl.h>
#include <unistd.h>

using namespace foundry;
using namespace foundry::backend;

namespace {

UserProcessLimits shortGrace()
{
    UserProcessLimits limits;
    limits.graceMs = 700;
    return limits;
}

bool lives(qint64 pid)
{
    QFile file(QStringLiteral("/proc/%1/stat").arg(pid));
    if (!file.open(QIODevice::ReadOnly))
        return false;
    const QByteArray stat = file.readAll();
    return stat.mid(stat.lastIndexOf(')') + 2, 1) != "Z";
}

int zombiesOfMine()
{
    int zombies = 0;
    for (const QString &name : QDir(QStringLiteral("/proc")).entryList(QDir::Dirs)) {
        QFile file(QStringLiteral("/proc/%1/stat").arg(name));
        if (!name.at(0).isDigit() || !file.open(QIODevice::ReadOnly))
            continue;
        const QByteArray stat = file.readAll();
        const QList<QByteArray> fields = stat.mid(stat.lastIndexOf(')') + 2).split(' ');
        zombies += fields.at(0) == "Z" && fields.at(1).toLongLong() == ::getpid() ? 1 : 0;
    }
    return zombies;
}

// One process and what came of it.
struct Driven {
    explicit Driven(const QString &root, UserProcessLimits limits = shortGrace())
        : process(std::make_unique<UserProcess>(limits))
    {
        spec.root = root;
        QObject::connect(process.get(), &UserProcess::output, process.get(), [this](const QByteArray &bytes) {
            count += bytes.size();
            output += bytes;
            if (output.size() > 4 * 1024 * 1024)
                output = output.right(1024 * 1024);
        });
        QObject::connect(process.get(), &UserProcess::exited, process.get(), [this](const UserProcessExit &how) { exit = how; });
        QObject::connect(process.get(), &UserProcess::failed, process.get(), [this](const Error &why) { error = why; });
        QObject::connect(process.get(), &UserProcess::gone, process.get(), [this] { isGone = true; });
    }
    Result<ProcessIdentity> start(const QString &command, const QStringList &args, bool tty)
    {
        spec.command = command;
        spec.args = args;
        spec.tty = tty;
        if (spec.environment.isEmpty())
            spec.environment = userProcessEnvironment(QProcessEnvironment::systemEnvironment(), tty);
        auto identity = process->prepare(spec);
        if (identity)
            process->run();
        return identity;
    }
    Result<ProcessIdentity> shell(const QString &script, bool tty) { return start(QStringLiteral("bash"), {QStringLiteral("-c"), script}, tty); }
    bool waitFor(const QByteArray &text, int ms = 10000)
    {
        return QTest::qWaitFor([&] { return output.contains(text); }, ms);
    }
    bool waitGone(int ms = 10000)
    {
        return QTest::qWaitFor([&] { return isGone; }, ms);
    }
    qint64 number(const char *name) const // "name=123" in the output
    {
        const auto match = QRegularExpression(QLatin1StringView(name) + QStringLiteral("=(\\d+)\\s")).match(QString::fromUtf8(output));
        return match.captured(1).toLongLong();
    }

    std::unique_ptr<UserProcess> process;
    UserProcessSpec spec;
    QByteArray output;
    qint64 count = 0;
    std::optional<UserProcessExit> exit;
    std::optional<Error> error;
    bool isGone = false;
};

} // namespace

class tst_UserProcess : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void cleanup() { QTRY_COMPARE(zombiesOfMine(), 0); }

    void oneShot()
    {
        Driven it(m_dir.path());
        QVERIFY(it.shell(QStringLiteral("echo out; echo err >&2; echo out2; read x || echo no input; exit 7"), false));
        QVERIFY(it.waitGone());
        QCOMPARE(it.output, QByteArray("out\nerr\nout2\nno input\n"));
        QCOMPARE(it.exit->code, 7);
        QVERIFY(!it.exit->signal);
    }

    void saysTheSignal()
    {
        Driven it(m_dir.path());
        QVERIFY(it.shell(QStringLiteral("kill -SEGV $$"), false));
        QVERIFY(it.waitGone());
        QCOMPARE(it.exit->signal, SIGSEGV);
        QVERIFY(!it.exit->code);
    }

    void terminal()
    {
        Driven it(m_dir.path());
        it.spec.columns = 101;
        it.spec.rows = 33;
        QVERIFY(it.shell(QStringLiteral("stty size; tty; echo TERM=$TERM; test -t 0 && test -t 1 && test -t 2 && echo all; exec 3</dev/tty && echo controlling; "
                                        "trap 'stty size; echo winch' WINCH; echo ready; read a; echo got $a; exit 3"),
            true));
        QVERIFY(it.waitFor("ready"));
        QVERIFY(it.output.contains("33 101\r\n"));
        QVERIFY(it.output.contains("/dev/pts/"));
        QVERIFY(it.output.contains("TERM=xterm-256color"));
        QVERIFY(it.output.contains("all\r\n"));
        QVERIFY(it.output.contains("controlling"));
        it.process->resize(120, 40);
        QVERIFY(it.process->write("\n")); // bash runs its trap when read comes back
        QVERIFY(it.waitFor("winch"));
        QVERIFY(it.output.contains("40 120\r\n"));
        QVERIFY(it.waitGone());
        QCOMPARE(it.exit->code, 3);
        QVERIFY(!it.process->write("late"));
    }

    // Interactive bash: job control, and Ctrl-C reaches the program in front and not the shell.
    void interactive()
    {
        Driven it(m_dir.path());
        it.spec.environment = userProcessEnvironment(QProcessEnvironment::systemEnvironment(), true);
        it.spec.environment.insert(QStringLiteral("PS1"), QStringLiteral("prompt> "));
        QVERIFY(it.start(QStringLiteral("bash"), {QStringLiteral("--norc"), QStringLiteral("-i")}, true));
        QVERIFY(it.waitFor("prompt> "));
        QVERIFY(!it.output.contains("no job control"));
        QVERIFY(it.process->write("sleep 300; echo code=$?\n"));
        QTRY_VERIFY(it.output.contains("sleep 300"));
        QTest::qWait(200); // it must be in front, which nothing says
        QVERIFY(it.process->write("\x03"));
        QVERIFY(it.waitFor("^C"));
        QVERIFY(it.process->write("echo still $((40+2))\n"));
        QVERIFY(it.waitFor("still 42"));
        QVERIFY(it.process->write("exit 5\n"));
        QVERIFY(it.waitGone());
        QCOMPARE(it.exit->code, 5);
    }

    void fullScreen()
    {
        if (QStandardPaths::findExecutable(QStringLiteral("vim")).isEmpty())
            QSKIP("vim is not installed");
        Driven it(m_dir.path());
        QVERIFY(it.start(QStringLiteral("vim"), {QStringLiteral("-u"), QStringLiteral("NONE"), QStringLiteral("-n"), QStringLiteral("made.txt")}, true));
        QVERIFY(it.waitFor("made.txt"));
        QVERIFY(it.process->write("ihello\x1b:wq\r"));
        QVERIFY(it.waitGone());
        QCOMPARE(it.exit->code, 0);
        QFile made(m_dir.filePath(QStringLiteral("made.txt")));
        QVERIFY(made.open(QIODevice::ReadOnly));
        QCOMPARE(made.readAll(), QByteArray("hello\n"));
    }

    // No descriptor of the host but the three, also one that is not close-on-exec; no blocked signals, own session.
    void inheritsNothing_data()
    {
        QTest::addColumn<bool>("tty");
        QTest::newRow("terminal") << true;
        QTest::newRow("pipe") << false;
    }
    void inheritsNothing()
    {
        QFETCH(bool, tty);
        int leaky[2];
        QCOMPARE(::pipe(leaky), 0); // without O_CLOEXEC
        ::signal(SIGPIPE, SIG_IGN);
        ::signal(SIGUSR1, SIG_IGN);
        Driven it(m_dir.path());
        // Without a pipe between, whose ends bash itself would have for a moment.
        const auto identity = it.start(QStringLiteral("bash"),
            {QStringLiteral("-c"), QStringLiteral("ls -C -w 999 /proc/$$/fd; ps -o sid=,pgid= -p $$; echo end")}, tty);
        QVERIFY(identity);
        QVERIFY(it.waitGone());
        Driven bare(m_dir.path()); // a shell changes its signals itself
        QVERIFY(bare.start(QStringLiteral("cat"), {QStringLiteral("/proc/self/status")}, tty));
        QVERIFY(bare.waitGone());
        ::close(leaky[0]);
        ::close(leaky[1]);
        ::signal(SIGUSR1, SIG_DFL);
        const QByteArray text = it.output.replace("\r\n", "\n");
        const QByteArray fds = text.left(text.indexOf('\n')).simplified();
        QVERIFY2(fds == "0 1 2" || fds == "0 1 2 255", text.constData()); // 255 is bash's own
        const QByteArray pid = QByteArray::number(identity->pid);
        QVERIFY2(text.simplified().contains(pid + ' ' + pid), text.constData());
        QVERIFY2(bare.output.contains("SigBlk:\t0000000000000000"), bare.output.constData());
        QVERIFY2(bare.output.contains("SigIgn:\t0000000000000000"), bare.output.constData());
    }

    void environment()
    {
        qputenv("FOUNDRY_SECRET", "canary");
        qputenv("GIT_DIR", "/elsewhere");
        Driven it(m_dir.path());
        QVERIFY(it.start(QStringLiteral("env"), {}, false));
        QVERIFY(it.waitGone());
        qunsetenv("FOUNDRY_SECRET");
        qunsetenv("GIT_DIR");
        QVERIFY(!it.output.contains("canary"));
        QVERIFY(!it.output.contains("GIT_DIR"));
        QVERIFY(it.output.contains("HOME="));
        QVERIFY(it.output.contains("PWD=" + QDir(m_dir.path()).canonicalPath().toUtf8() + '\n'));
    }

    // Grandchildren that hear no hang-up and no SIGTERM, in groups of their own, and one that left the session.
    void stopReachesGrandchildren_data()
    {
        QTest::addColumn<bool>("tty");
        QTest::addColumn<bool>("atOnce");
        QTest::newRow("terminal, stop") << true << false;
        QTest::newRow("terminal, kill") << true << true;
        QTest::newRow("pipe, stop") << false << false;
        QTest::newRow("pipe, kill") << false << true;
    }
    void stopReachesGrandchildren()
    {
        QFETCH(bool, tty);
        QFETCH(bool, atOnce);
        Driven it(m_dir.path());
        QVERIFY(it.shell(QStringLiteral("set -m; bash -c 'trap \"\" HUP TERM; echo deaf=$$; while :; do sleep 100; done' & "
                                        "nohup sleep 301 >/dev/null 2>&1 & echo nohup=$!; setsid bash -c 'echo away=$$; sleep 302' & "
                                        "bash -c 'trap \"\" HUP; echo last=$$; sleep 303; sleep 303'"),
            tty));
        QVERIFY(it.waitFor("last="));
        QVERIFY(it.waitFor("deaf="));
        QVERIFY(it.waitFor("away="));
        QTRY_VERIFY(it.number("deaf") && it.number("nohup") && it.number("away") && it.number("last"));
        const QList<qint64> pids{it.number("deaf"), it.number("nohup"), it.number("away"), it.number("last")};
        for (const qint64 pid : pids)
            QVERIFY(lives(pid));
        if (atOnce)
            it.process->kill();
        else
            it.process->stop();
        QVERIFY(it.waitGone());
        for (const qint64 pid : pids)
            QVERIFY(!lives(pid));
        QVERIFY(it.exit);
    }

    // A command that ends leaves nothing of its session, and its own end is told at once.
    void leavesNothingBehind()
    {
        Driven it(m_dir.path());
        QVERIFY(it.shell(QStringLiteral("nohup sleep 305 & echo left=$!; exit 0"), false));
        QTRY_VERIFY(it.exit);
        const qint64 left = it.number("left");
        QVERIFY(left > 0);
        QCOMPARE(it.exit->code, 0);
        QVERIFY(it.waitGone());
        QVERIFY(!lives(left));
    }

    void destroyedWithAll()
    {
        Driven it(m_dir.path());
        const auto identity = it.shell(QStringLiteral("bash -c 'trap \"\" HUP TERM; echo deaf=$$; sleep 306' & wait"), true);
        QVERIFY(it.waitFor("deaf="));
        QTRY_VERIFY(it.number("deaf"));
        const qint64 deaf = it.number("deaf");
        it.process.reset();
        QTRY_VERIFY(!lives(deaf) && !lives(identity->pid));
    }

    // On record, and never let go: the host died in between.
    void heldProcessRunsNothing()
    {
        Driven it(m_dir.path());
        it.spec.command = QStringLiteral("touch");
        it.spec.args = QStringList{QStringLiteral("it-ran")};
        it.spec.environment = userProcessEnvironment(QProcessEnvironment::systemEnvironment(), false);
        const auto identity = it.process->prepare(it.spec);
        QVERIFY(identity);
        QVERIFY(isSameProcess(*identity));
        QTest::qWait(50);
        QVERIFY(!QFile::exists(m_dir.filePath(QStringLiteral("it-ran"))));
        it.process.reset();
        QTRY_VERIFY(!isSameProcess(*identity));
        QVERIFY(!QFile::exists(m_dir.filePath(QStringLiteral("it-ran"))));
    }

    void flood_data()
    {
        QTest::addColumn<bool>("tty");
        QTest::newRow("terminal") << true;
        QTest::newRow("pipe") << false;
    }
    void flood()
    {
        QFETCH(bool, tty);
        Driven it(m_dir.path());
        int turns = 0;
        QTimer beat;
        connect(&beat, &QTimer::timeout, this, [&turns] { ++turns; });
        beat.start(5);
        QVERIFY(it.shell(QStringLiteral("head -c 100000000 /dev/zero | tr '\\0' x; echo; echo the end"), tty));
        QVERIFY(it.waitGone(60000));
        QCOMPARE(it.count, 100000000 + (tty ? 11 : 9));
        QVERIFY(it.output.endsWith(tty ? "the end\r\n" : "the end\n"));
        QVERIFY(turns > 10); // others had their turn meanwhile
    }

    // The program does not read: what waits is bounded and refused beyond.
    void inputIsBounded()
    {
        Driven it(m_dir.path());
        QVERIFY(it.shell(QStringLiteral("stty raw -echo; echo ready; sleep 307"), true));
        QVERIFY(it.waitFor("ready"));
        const QByteArray piece(32 * 1024, 'x');
        std::optional<Error> refused;
        for (int i = 0; i < 30 && !refused; ++i) {
            if (const auto written = it.process->write(piece); !written)
                refused = written.error();
        }
        QVERIFY(refused);
        QCOMPARE(refused->key(), QStringLiteral("actor.overloaded"));
        it.process->kill();
        QVERIFY(it.waitGone());
    }

    void inputArrivesInOrder()
    {
        Driven it(m_dir.path());
        QVERIFY(it.shell(QStringLiteral("stty raw -echo; echo ready; head -c 200000 | md5sum"), true));
        QVERIFY(it.waitFor("ready"));
        QByteArray all;
        for (int i = 0; all.size() < 200000; ++i)
            all += QByteArray::number(i) + ' ';
        all.truncate(200000);
        for (qsizetype at = 0; at < all.size(); at += 5000) {
            const QByteArray piece = all.mid(at, 5000);
            QTRY_VERIFY(it.process->checkRoom(piece.size()));
            QVERIFY(it.process->write(piece));
        }
        QVERIFY(it.waitGone());
        QVERIFY(it.output.contains(QCryptographicHash::hash(all, QCryptographicHash::Md5).toHex()));
    }

    void failures_data()
    {
        QTest::addColumn<QString>("command");
        QTest::addColumn<QString>("folder");
        QTest::addColumn<QString>("key");
        QTest::newRow("no such program") << QStringLiteral("no-such-program-here") << QString() << QStringLiteral("sandbox.program_not_found");
        QTest::newRow("no such path") << QStringLiteral("./nothing") << QString() << QStringLiteral("sandbox.program_not_found");
        QTest::newRow("not executable") << QStringLiteral("./plain") << QString() << QStringLiteral("sandbox.not_executable");
        QTest::newRow("a folder") << QStringLiteral("./sub") << QString() << QStringLiteral("sandbox.not_executable");
        QTest::newRow("no interpreter") << QStringLiteral("./odd") << QString() << QStringLiteral("sandbox.not_executable");
        QTest::newRow("no program at all") << QStringLiteral("./junk") << QString() << QStringLiteral("sandbox.not_executable");
        QTest::newRow("no folder") << QStringLiteral("true") << QStringLiteral("missing") << QStringLiteral("sandbox.folder_missing");
        QTest::newRow("a file as folder") << QStringLiteral("true") << QStringLiteral("plain") << QStringLiteral("sandbox.folder_missing");
        QTest::newRow("out by dots") << QStringLiteral("true") << QStringLiteral("sub/../..") << QStringLiteral("input.invalid");
        QTest::newRow("out by a link") << QStringLiteral("true") << QStringLiteral("way-out") << QStringLiteral("input.invalid");
    }
    void failures()
    {
        QFETCH(QString, command);
        QFETCH(QString, folder);
        QFETCH(QString, key);
        QTemporaryDir dir;
        const auto put = [&](const char *name, const QByteArray &text, bool executable) {
            QFile file(dir.filePath(QString::fromLatin1(name)));
            QVERIFY(file.open(QIODevice::WriteOnly));
            file.write(text);
            file.setPermissions(executable ? QFile::Permissions(0x7755) : QFile::Permissions(0x6644));
        };
        put("plain", "text", false);
        put("odd", "#!/no/such/interpreter\n", true);
        put("junk", QByteArray("\x01\x02\x03", 3), true);
        QVERIFY(QDir(dir.path()).mkdir(QStringLiteral("sub")));
        QVERIFY(QFile::link(QStringLiteral("/usr"), dir.filePath(QStringLiteral("way-out"))));
        Driven it(dir.path());
        it.spec.folder = folder;
        const auto identity = it.start(command, {}, false);
        if (identity)
            QVERIFY(it.waitGone());
        const Error error = identity ? it.error.value_or(Error{}) : identity.error();
        QCOMPARE(error.key(), key);
        QVERIFY(!error.message.isEmpty() && !error.action.isEmpty());
        QVERIFY(!it.exit);
    }

    void runsBelowTheRoot()
    {
        QTemporaryDir dir;
        QVERIFY(QDir(dir.path()).mkpath(QStringLiteral("a/b")));
        QVERIFY(QFile::link(dir.filePath(QStringLiteral("a")), dir.filePath(QStringLiteral("link"))));
        Driven it(dir.path());
        it.spec.folder = QStringLiteral("link/b");
        QVERIFY(it.start(QStringLiteral("pwd"), {}, false));
        QVERIFY(it.waitGone());
        QCOMPARE(it.output.trimmed(), (QDir(dir.path()).canonicalPath() + QStringLiteral("/a/b")).toUtf8());
    }

    // Ours and Qt's children do not take each other's ends.
    void besideQProcess()
    {
        std::vector<std::unique_ptr<Driven>> ours;
        std::vector<std::unique_ptr<QProcess>> theirs;
        for (int i = 0; i < 20; ++i) {
            ours.push_back(std::make_unique<Driven>(m_dir.path()));
            QVERIFY(ours.back()->shell(QStringLiteral("sleep 0.0%1; exit %2").arg(i % 7).arg(i), i % 2));
            theirs.push_back(std::make_unique<QProcess>());
            theirs.back()->start(QStringLiteral("sh"), {QStringLiteral("-c"), QStringLiteral("exit %1").arg(100 + i)});
        }
        for (int i = 0; i < 20; ++i) {
            QVERIFY(ours[size_t(i)]->waitGone());
            QCOMPARE(ours[size_t(i)]->exit->code, i);
            QTRY_COMPARE(theirs[size_t(i)]->state(), QProcess::NotRunning);
            QCOMPARE(theirs[size_t(i)]->exitCode(), 100 + i);
        }
    }

private:
    QTemporaryDir m_dir;
};

QTEST_GUILESS_MAIN(tst_UserProcess)
#include "tst_userprocess.moc"
