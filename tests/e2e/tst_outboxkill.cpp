// SIGKILL of the workbench at random moments while somebody types and sends, with a host and without: no draft and no
// queued prompt is lost, and no prompt is sent twice. The one who types is this program itself, as a child: it writes
// into a ledger what stood in the prompt and what was given, each with its time. FOUNDRY_KILLS: how often (20);
// FOUNDRY_SEED: the random numbers of an earlier run.
#include "tests/e2e/workbench.h"

#include "views/composer/composer.h"
#include "views/composer/promptedit.h"

#include <QElapsedTimer>
#include <QFile>
#include <QProcess>
#include <QRandomGenerator>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

using namespace foundry;
using namespace foundry::app;

namespace {

// What was typed longer ago than this is on the disk: half a second in which the window joins keystrokes, and a slow disk.
constexpr qint64 outboxkillTyped = 1200;
// What was given is written at once.
constexpr qint64 outboxkillGiven = 700;

qint64 outboxkillNow()
{
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return qint64(now.tv_sec) * 1000 + now.tv_nsec / 1000000;
}

// Lives through the kill: one write() each.
class Ledger {
public:
    explicit Ledger(const QString &path)
        : m_file(::open(path.toLocal8Bit().constData(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600))
    {
    }
    ~Ledger() { ::close(m_file); }
    void write(const char *what, const QString &text)
    {
        const QByteArray line = QByteArray::number(outboxkillNow()) + ' ' + what + ' ' + text.toUtf8() + '\n';
        if (::write(m_file, line.constData(), size_t(line.size())) != line.size())
            std::abort();
    }

private:
    int m_file;
};

struct Line {
    qint64 at = 0;
    QString what;
    QString text;
};

QList<Line> readLedger(const QString &path)
{
    QFile file(path);
    QList<Line> lines;
    if (!file.open(QIODevice::ReadOnly))
        return lines;
    for (const QByteArray &line : file.readAll().split('\n')) {
        const QString text = QString::fromUtf8(line);
        if (!text.isEmpty())
            lines << Line{text.section(QLatin1Char(' '), 0, 0).toLongLong(), text.section(QLatin1Char(' '), 1, 1), text.section(QLatin1Char(' '), 2)};
    }
    return lines;
}

} // namespace

// The child: says what it found, then types until it is killed.
class Typist : public QObject {
    Q_OBJECT

public:
    Typist(WatchedApplication &qt, const QStringList &arguments)
        : m_bench(qt, arguments.at(2))
        , m_ledger(arguments.at(3))
        , m_task(arguments.at(4))
        , m_life(arguments.at(5))
        , m_random(arguments.at(6).toUInt())
        , m_reads(arguments.at(5) == QLatin1StringView("last"))
    {
        m_bench.start(arguments.at(1) == QLatin1StringView("host"));
        QTimer::singleShot(0, this, &Typist::look);
    }

private:
    void look()
    {
        auto *composer = m_bench.window().findChild<views::Composer *>();
        if (!composer || !m_bench.workspace().tasks().find(m_task))
            return QTimer::singleShot(5, this, &Typist::look);
        if (m_bench.page()->taskId() != m_task)
            m_bench.window().openTask(m_task);
        OpenTask *task = m_bench.task(m_task);
        realtime::Outbox *outbox = m_bench.application().link().client().outbox();
        auto &overlay = m_bench.application().link().client().overlayFeed();
        if (!task || m_bench.page()->activeSession().isEmpty() || !outbox->isRestored() || !overlay.isLoaded())
            return QTimer::singleShot(5, this, &Typist::look);
        // A moment for what was restored to be told: the draft comes with a signal of its own.
        QTimer::singleShot(m_reads ? 1000 : 100, this, [this, composer, outbox] {
            for (const realtime::OutboxEntry &entry : outbox->entries()) {
                if (const auto message = realtime::Outbox::messageOf(entry))
                    m_ledger.write("waits", message->prompt.text);
            }
            m_edit = composer->edit();
            m_ledger.write("found", m_edit->toPlainText());
            if (m_reads)
                QCoreApplication::quit();
            else
                type();
        });
    }
    void type()
    {
        const QString before = m_edit->toPlainText();
        if (m_left == 0 && !before.isEmpty() && before == m_whole) {
            m_ledger.write("gives", before);
            QTest::keyClick(m_edit, Qt::Key_Return);
            if (!m_edit->toPlainText().isEmpty())
                m_ledger.write("refused", before);
            m_whole.clear();
        } else {
            if (m_left == 0) {
                // What an earlier life had begun is finished.
                m_left = int(m_random.bounded(3, 14));
                m_stem = before.isEmpty() ? QStringLiteral("p%1-%2-").arg(m_life).arg(++m_number) : before;
            }
            QTest::keyClick(m_edit, before.size() < m_stem.size() ? m_stem.at(before.size()).toLatin1() : char('a' + m_random.bounded(26)));
            if (before.size() >= m_stem.size())
                --m_left;
            m_whole = m_edit->toPlainText();
            m_ledger.write("typed", m_whole);
        }
        QTimer::singleShot(int(m_random.bounded(1, 12)), this, &Typist::type);
    }

    tests::Workbench m_bench;
    Ledger m_ledger;
    TaskId m_task;
    QString m_life;
    QRandomGenerator m_random;
    bool m_reads; // only looks
    views::PromptEdit *m_edit = nullptr;
    QString m_whole;
    QString m_stem;
    int m_left = 0;
    int m_number = 0;
};

class OutboxKillTest : public QObject {
    Q_OBJECT

public:
    explicit OutboxKillTest(WatchedApplication &qt)
        : m_bench(qt, m_dir.filePath(QStringLiteral("host")))
    {
    }

private Q_SLOTS:
    void initTestCase()
    {
        m_seed = qEnvironmentVariableIsSet("FOUNDRY_SEED") ? qEnvironmentVariable("FOUNDRY_SEED").toUInt() : QRandomGenerator::global()->generate();
        qInfo("FOUNDRY_SEED=%u", m_seed);
        m_bench.start(true);
        QVERIFY(m_bench.is(LinkPhase::Live));
        QVERIFY(m_bench.addRepository(m_git.makeRepository(QStringLiteral("sample"))));
        AddCustomAgent agent;
        agent.agentId = AgentId(QStringLiteral("scripted"));
        agent.name = QStringLiteral("Scripted");
        agent.command = qEnvironmentVariable("SCRIPTED_AGENT");
        agent.args = {QStringLiteral("ok"), QStringLiteral("--journal"), m_dir.filePath(QStringLiteral("journal"))};
        auto &client = m_bench.application().link().client();
        client.organization().addCustomAgent(agent, this, {});
        const auto known = [&] { return m_bench.workspace().agents().find(agent.agentId); };
        QTRY_VERIFY_WITH_TIMEOUT(known(), tests::Workbench::patience);
        if (known()->state != AgentState::Ready)
            client.organization().confirmAgent(agent.agentId, this, {});
        QTRY_VERIFY_WITH_TIMEOUT(known()->state == AgentState::Ready, tests::Workbench::patience);
        CreateTask command;
        command.repoId = m_bench.workspace().repositories().at(0).id;
        command.agent = agent.agentId;
        command.prompt = Prompt{QStringLiteral("hello")};
        m_task = client.createTask(command, this, {});
        QVERIFY(m_bench.waitForIdle(m_task));
        // Known to the cache, so that a life without a host can begin with it.
        m_bench.window().openTask(m_task);
        QTRY_VERIFY_WITH_TIMEOUT(m_bench.task(m_task) && m_bench.task(m_task)->sessions().isLive(), tests::Workbench::patience);
    }

    void killed()
    {
        const int kills = qEnvironmentVariableIsSet("FOUNDRY_KILLS") ? qEnvironmentVariableIntValue("FOUNDRY_KILLS") : 20;
        QRandomGenerator random(m_seed);
        qsizetype read = 0;
        for (int life = 0; life <= kills; ++life) {
            const bool last = life == kills;
            const bool host = life % 3 != 1 || last;
            if (!host)
                QVERIFY(m_bench.endHost());
            m_bench.close();
            QProcess typist;
            typist.setProcessChannelMode(QProcess::ForwardedChannels);
            typist.start(QCoreApplication::applicationFilePath(),
                {host ? QStringLiteral("host") : QStringLiteral("alone"), m_dir.filePath(QStringLiteral("host")), ledger(), m_task.value,
                    last ? QStringLiteral("last") : QString::number(life), QString::number(random.generate())});
            QVERIFY(typist.waitForStarted());
            const auto found = [&] {
                for (const Line &line : readLedger(ledger()).mid(read)) {
                    if (line.what == QLatin1StringView("found"))
                        return true;
                }
                return false;
            };
            QTRY_VERIFY_WITH_TIMEOUT(found() || typist.state() == QProcess::NotRunning, tests::Workbench::patience);
            QVERIFY(found());
            if (last) {
                QTRY_VERIFY_WITH_TIMEOUT(typist.state() == QProcess::NotRunning, tests::Workbench::patience);
            } else {
                QTest::qWait(int(random.bounded(20, 2200)));
                QCOMPARE(typist.state(), QProcess::Running); // it did not end by itself
                typist.kill();
                QVERIFY(typist.waitForFinished());
            }
            m_ends << outboxkillNow();
            read = readLedger(ledger()).size();
            m_bench.start(true);
            QVERIFY(m_bench.is(LinkPhase::Live));
        }
    }

    // All that was given and stood there long enough has arrived at the agent, once; what was in the prompt is found again.
    void nothingLostNothingTwice()
    {
        QVERIFY(m_bench.waitForIdle(m_task));
        realtime::Outbox *outbox = m_bench.application().link().client().outbox();
        const auto waiting = [&] {
            int waits = 0;
            for (const realtime::OutboxEntry &entry : outbox->entries())
                waits += realtime::Outbox::messageOf(entry).has_value();
            return waits;
        };
        m_bench.window().openTask(m_task);
        QTRY_COMPARE_WITH_TIMEOUT(waiting(), 0, tests::Workbench::patience);
        QTRY_VERIFY_WITH_TIMEOUT(m_bench.task(m_task)->queue().count() == 0 && m_bench.waitForIdle(m_task), tests::Workbench::patience);

        QHash<QString, int> arrived;
        QFile journal(m_dir.filePath(QStringLiteral("journal")));
        QVERIFY(journal.open(QIODevice::ReadOnly));
        for (const QByteArray &line : journal.readAll().split('\n')) {
            if (line.contains(" prompt "))
                ++arrived[QString::fromUtf8(line).section(QLatin1String(" prompt "), 1)];
        }
        const QList<Line> lines = readLedger(ledger());
        int lives = 0;
        QStringList given;
        qsizetype life = 0;
        for (qsizetype i = 0; i < lines.size(); ++i) {
            const Line &line = lines.at(i);
            while (life < m_ends.size() && m_ends.at(life) < line.at)
                ++life;
            QVERIFY2(line.what != QLatin1StringView("refused"), qPrintable(line.text));
            if (line.what == QLatin1StringView("gives")) {
                QVERIFY2(arrived.value(line.text) <= 1, qPrintable(line.text + QStringLiteral(" arrived twice")));
                const bool late = m_ends.value(life) - line.at < outboxkillGiven;
                QVERIFY2(arrived.value(line.text) == 1 || isBackInThePrompt(lines, i) || late, qPrintable(line.text + QStringLiteral(" is lost")));
                given << line.text;
            } else if (line.what == QLatin1StringView("found")) {
                ++lives;
                QVERIFY2(isRecent(lines, i), qPrintable(QStringLiteral("line %1: what is found, “%2”, is too old").arg(i).arg(line.text)));
                for (const QString &prompt : std::as_const(given)) {
                    QVERIFY2(line.text.isEmpty() || arrived.value(prompt) == 0 || !prompt.startsWith(line.text),
                        qPrintable(QStringLiteral("line %1: “%2” is back in the prompt, though it was sent").arg(i).arg(prompt)));
                }
            }
        }
        qInfo("%d lives, %lld prompts given, %lld arrived", lives, qlonglong(given.size()), qlonglong(arrived.size()) - 1);
        QVERIFY(given.size() > lives / 2);
    }

    void cleanupTestCase()
    {
        QVERIFY(m_bench.endHost());
        m_bench.close();
    }

private:
    QString ledger() const { return m_dir.filePath(QStringLiteral("ledger")); }
    // Given in the last moment before the kill, it may be in the prompt still, as far as it had been written down.
    static bool isBackInThePrompt(const QList<Line> &lines, qsizetype given)
    {
        for (qsizetype i = given + 1; i < lines.size(); ++i) {
            if (lines.at(i).what == QLatin1StringView("found"))
                return !lines.at(i).text.isEmpty() && lines.at(given).text.startsWith(lines.at(i).text);
        }
        return false;
    }
    // What is found is what stood there in the last moments before the kill; nothing, when it was given then.
    static bool isRecent(const QList<Line> &lines, qsizetype found)
    {
        const QString &text = lines.at(found).text;
        qint64 killed = 0;
        for (qsizetype i = found - 1; i >= 0; --i) {
            const Line &line = lines.at(i);
            if (line.what == QLatin1StringView("waits"))
                continue;
            if (killed == 0)
                killed = line.at;
            if (line.what == QLatin1StringView("gives") ? text.isEmpty() || text == line.text : text == line.text)
                return true;
            if (killed - line.at > outboxkillTyped)
                return false;
        }
        return text.isEmpty();
    }

    QTemporaryDir m_dir;
    test::GitFixture m_git;
    tests::Workbench m_bench;
    TaskId m_task;
    quint32 m_seed = 0;
    QList<qint64> m_ends;
};

int main(int argc, char **argv)
{
    WatchedApplication qt(argc, argv);
    QGuiApplication::setQuitOnLastWindowClosed(false);
    const QStringList arguments = QCoreApplication::arguments();
    if (arguments.size() == 7 && (arguments.at(1) == QLatin1StringView("host") || arguments.at(1) == QLatin1StringView("alone"))) {
        Typist typist(qt, arguments);
        return QCoreApplication::exec();
    }
    OutboxKillTest test(qt);
    return QTest::qExec(&test, argc, argv);
}
#include "tst_outboxkill.moc"
