// Programs run to their end, or to ours: deadlines, cancelling a whole group, bounded output.
#include "backend/git/childprocess.h"

#include <QElapsedTimer>
#include <QFile>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include <csignal>

using foundry::backend::ChildEnd;
using foundry::backend::ChildOutcome;
using foundry::backend::ChildProcess;
using foundry::backend::ChildSpec;

class TestChildProcess : public QObject {
    Q_OBJECT

private:
    static ChildSpec shell(const QString &script)
    {
        ChildSpec spec;
        spec.program = QStringLiteral("/bin/sh");
        spec.arguments = {QStringLiteral("-c"), script};
        spec.environment = QProcessEnvironment::systemEnvironment();
        return spec;
    }
    static ChildOutcome run(ChildProcess &child)
    {
        std::optional<ChildOutcome> outcome;
        int count = 0;
        connect(&child, &ChildProcess::finished, &child, [&](const ChildOutcome &end) {
            outcome = end;
            ++count;
        });
        child.start();
        QElapsedTimer clock;
        clock.start();
        while (!outcome && clock.elapsed() < 20000)
            QTest::qWait(1);
        QTest::qWait(5);
        if (count != 1)
            qFatal("%d ends", count);
        return *outcome;
    }
    static bool alive(qint64 pid)
    {
        QFile stat(QStringLiteral("/proc/%1/stat").arg(pid));
        if (!stat.open(QIODevice::ReadOnly))
            return false;
        return !stat.readAll().contains(") Z ");
    }

private Q_SLOTS:
    void collects()
    {
        ChildSpec spec = shell(QStringLiteral("cat; echo more; echo problem >&2; exit 3"));
        spec.input = "in\n";
        ChildProcess child(spec);
        QStringList errors;
        connect(&child, &ChildProcess::errorLine, this, [&](const QByteArray &line) { errors += QString::fromUtf8(line); });
        const ChildOutcome end = run(child);
        QCOMPARE(end.end, ChildEnd::Exited);
        QCOMPARE(end.exitCode, 3);
        QCOMPARE(end.output, QByteArray("in\nmore\n"));
        QCOMPARE(end.errorTail, QByteArray("problem\n"));
        QCOMPARE(errors, QStringList{QStringLiteral("problem")});
        QVERIFY(!end.ok());
    }
    void missingProgram()
    {
        ChildSpec spec;
        spec.program = QStringLiteral("/no/such/program");
        ChildProcess child(spec);
        const ChildOutcome end = run(child);
        QCOMPARE(end.end, ChildEnd::FailedToStart);
        QVERIFY(!end.startError.isEmpty());
    }
    void crash()
    {
        ChildProcess child(shell(QStringLiteral("kill -SEGV $$")));
        const ChildOutcome end = run(child);
        QCOMPARE(end.end, ChildEnd::Crashed);
        QCOMPARE(end.signal, SIGSEGV);
    }
    void deadline()
    {
        ChildSpec spec = shell(QStringLiteral("sleep 30"));
        spec.deadlineMs = 100;
        ChildProcess child(spec);
        const ChildOutcome end = run(child);
        QCOMPARE(end.end, ChildEnd::Deadline);
        QVERIFY(end.elapsedMs < 1500);
    }
    void idleDeadline()
    {
        ChildSpec spec = shell(QStringLiteral("for i in 1 2 3 4 5 6; do echo $i; sleep 0.1; done; sleep 30"));
        spec.idleDeadlineMs = 400;
        ChildProcess child(spec);
        const ChildOutcome end = run(child);
        QCOMPARE(end.end, ChildEnd::IdleDeadline);
        QVERIFY2(end.output.endsWith("6\n"), "each byte begins the time anew");
    }
    void outputCap()
    {
        ChildSpec spec = shell(QStringLiteral("yes"));
        spec.outputCap = 100000;
        ChildProcess child(spec);
        const ChildOutcome end = run(child);
        QCOMPARE(end.end, ChildEnd::OutputCap);
        QCOMPARE(end.output.size(), 100000);
    }
    // A grandchild that ignores SIGTERM, in the same group, and a leader that does.
    void cancelEndsTheGroup()
    {
        QTemporaryDir dir;
        const QString pidFile = dir.filePath(QStringLiteral("pid"));
        ChildSpec spec = shell(QStringLiteral("trap '' TERM; (trap '' TERM; echo $(exec sh -c 'echo $PPID') > '%1'; while :; do sleep 0.1; done) & while :; do sleep 0.1; done").arg(pidFile));
        spec.killGraceMs = 300;
        auto child = std::make_unique<ChildProcess>(spec);
        QTimer::singleShot(400, child.get(), [&] { child->cancel(); });
        const ChildOutcome end = run(*child);
        QCOMPARE(end.end, ChildEnd::Cancelled);
        QVERIFY(end.elapsedMs >= 600 && end.elapsedMs < 2500);
        QFile file(pidFile);
        QVERIFY(file.open(QIODevice::ReadOnly));
        const qint64 pid = file.readAll().trimmed().toLongLong();
        QVERIFY(pid > 1);
        QTRY_VERIFY_WITH_TIMEOUT(!alive(pid), 2000);
    }
    void cancelBeforeStartAndAfterEnd()
    {
        ChildProcess child(shell(QStringLiteral("true")));
        child.cancel();
        const ChildOutcome end = run(child);
        QCOMPARE(end.end, ChildEnd::Cancelled);
        child.cancel();
        ChildProcess second(shell(QStringLiteral("true")));
        QVERIFY(run(second).ok());
        second.cancel();
    }
    void deletingKills()
    {
        auto *child = new ChildProcess(shell(QStringLiteral("sleep 30 & wait")));
        QSignalSpy started(child, &ChildProcess::started);
        child->start();
        QVERIFY(started.wait(5000));
        const qint64 pid = child->processId();
        QVERIFY(alive(pid));
        QTest::failOnWarning(QRegularExpression(QStringLiteral("Destroyed while process")));
        delete child;
        QVERIFY(!alive(pid));
    }
    // Before anybody has heard that it runs.
    void deletedAtOnce()
    {
        QTest::failOnWarning(QRegularExpression(QStringLiteral("Destroyed while process")));
        const QString mark = QStringLiteral("31.%1").arg(QCoreApplication::applicationPid());
        auto *child = new ChildProcess(shell(QStringLiteral("sleep %1").arg(mark)));
        child->start();
        delete child;
        QProcess look;
        look.start(QStringLiteral("pgrep"), {QStringLiteral("-f"), QStringLiteral("^sleep %1$").arg(mark)});
        QVERIFY(look.waitForFinished());
        QCOMPARE(look.readAllStandardOutput(), QByteArray());
    }
    // A reader that deletes the process from its own signal.
    void deletedBySlot()
    {
        auto *child = new ChildProcess([] {
            ChildSpec spec = shell(QStringLiteral("echo one; echo two; sleep 30"));
            spec.streamOutput = true;
            return spec;
        }());
        const QPointer<ChildProcess> watched(child);
        connect(child, &ChildProcess::output, this, [child] { delete child; });
        QTest::failOnWarning(QRegularExpression(QStringLiteral("Destroyed while process")));
        child->start();
        QTRY_VERIFY(!watched);
    }
    void finishEarly()
    {
        ChildSpec spec = shell(QStringLiteral("yes"));
        spec.streamOutput = true;
        ChildProcess child(spec);
        qint64 taken = 0;
        connect(&child, &ChildProcess::output, &child, [&](const QByteArray &chunk) {
            taken += chunk.size();
            if (taken > 10000)
                child.finishEarly();
        });
        const ChildOutcome end = run(child);
        QVERIFY(end.ok());
        QVERIFY(end.output.isEmpty());
        QVERIFY(taken > 10000);
    }
    void ownSessionAndNoStrayFiles()
    {
        QFile open(QStringLiteral("/dev/null"));
        QVERIFY(open.open(QIODevice::ReadOnly));
        const int inherited = dup(open.handle()); // without close-on-exec
        ChildProcess child(shell(QStringLiteral("ls /proc/self/fd | tr '\\n' ' '; cut -d' ' -f6 /proc/$$/stat; echo $$; (: </dev/tty) 2>/dev/null && echo tty || echo no tty")));
        const ChildOutcome end = run(child);
        ::close(inherited);
        const QList<QByteArray> lines = end.output.split('\n');
        QVERIFY2(lines[0].startsWith("0 1 2 3 "), end.output.constData()); // 3 is the folder that ls reads
        QCOMPARE(lines[0].split(' ').size(), 5);
        QCOMPARE(lines[0].split(' ').last(), lines[1]); // its session is its own
        QCOMPARE(lines[2], QByteArray("no tty"));
    }
    void keptInput()
    {
        ChildSpec spec = shell(QStringLiteral("read a; read b; echo $b $a"));
        spec.keepInputOpen = true;
        ChildProcess child(spec);
        QTimer::singleShot(20, &child, [&] {
            child.write("one\n");
            child.write("two\n");
        });
        QCOMPARE(run(child).output, QByteArray("two one\n"));
    }
};

QTEST_GUILESS_MAIN(TestChildProcess)
#include "tst_childprocess.moc"
