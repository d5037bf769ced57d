// The crash walk: a real foundry-host is killed just before and just after each record of each workflow step, each send
// and each command, and around each effect; after the restart everything ends as without a crash, nothing is doubled,
// and a turn that was cut says so. The points are those that a run without a crash passes. FOUNDRY_CRASH_WALK says which:
//   nothing        a fixed sample
//   all            all of them, and 200 kills at other moments; all:2/5 is the second fifth, all:rest the third script alone
//   NAME|before|1  one, of the first script; jobs:NAME|before|1 and rest:NAME|before|1 of the others, jobs2: and rest2: of
//                  the host's second life there
#include "backend/actors/stageplan.h"
#include "tests/backend_actors/crashjobs.h"
#include "tests/backend_actors/crashrest.h"

#include <QElapsedTimer>
#include <QFile>
#include <QRandomGenerator>
#include <QTest>

using namespace foundry;
using foundry::test::CrashJobs;
using foundry::test::CrashRest;
using foundry::test::CrashRun;
using foundry::test::CrashSpot;

enum CrashScript { MainScript, JobsScript, RestScript };

struct Walked {
    CrashSpot spot;
    CrashScript script = MainScript;
};

class tst_CrashWalk : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void everyStepHasItsPoint();
    void walk();
    void kills();

private:
    static QString mode() { return qEnvironmentVariable("FOUNDRY_CRASH_WALK"); }
    static bool isAll() { return mode().startsWith(QLatin1StringView("all")); }
    static bool isOne() { return mode().contains(QLatin1Char('|')); }
    std::unique_ptr<CrashRun> make(const Walked &walked) const;
    static QString nameOf(CrashScript script, int life);
    // Of all spots: the piece that is asked for.
    static QList<Walked> piece(const QList<Walked> &spots);
    QList<Walked> spotsOf(const QStringList &passed, CrashScript script, int life) const;
    void record(CrashScript script, int lives);
    void runAll(const QList<Walked> &spots, bool mustHit);

    // Of runs without a crash, by script and life: the points in order, with repeats.
    QMap<QPair<CrashScript, int>, QStringList> m_passed;
    QMap<CrashScript, QMap<QString, int>> m_audited;
    QSet<QString> m_steps; // that recipes have
    double m_ms[3] = {0, 0, 0};
};

std::unique_ptr<CrashRun> tst_CrashWalk::make(const Walked &walked) const
{
    std::unique_ptr<CrashRun> run;
    switch (walked.script) {
    case MainScript: run = std::make_unique<CrashRun>(walked.spot); break;
    case JobsScript: run = std::make_unique<CrashJobs>(walked.spot); break;
    case RestScript: run = std::make_unique<CrashRest>(walked.spot); break;
    }
    run->expectAudit(m_audited.value(walked.script));
    return run;
}

QString tst_CrashWalk::nameOf(CrashScript script, int life)
{
    const QString name = script == JobsScript ? QStringLiteral("jobs") : script == RestScript ? QStringLiteral("rest") : QString();
    return name.isEmpty() ? name : name + (life == 2 ? QStringLiteral("2:") : QStringLiteral(":"));
}

void tst_CrashWalk::record(CrashScript script, int lives)
{
    QElapsedTimer clock;
    clock.start();
    const auto run = make({{}, script});
    const QString wrong = run->run();
    QVERIFY2(wrong.isEmpty(), qPrintable(wrong));
    m_ms[script] = double(clock.elapsed());
    m_audited.insert(script, run->audited());
    QVERIFY(!run->audited().isEmpty());
    for (int life = 1; life <= lives; ++life) {
        QStringList passed = run->passed(life);
        for (const QString &line : std::as_const(passed)) {
            if (line.startsWith(QLatin1StringView("has ")))
                m_steps.insert(line.mid(4));
        }
        passed.removeIf([](const QString &line) { return line.startsWith(QLatin1StringView("has ")); });
        QVERIFY(passed.size() > 5);
        m_passed.insert({script, life}, passed);
    }
}

void tst_CrashWalk::initTestCase()
{
    QVERIFY2(QFile::exists(qEnvironmentVariable("SCRIPTED_AGENT")),
        "SCRIPTED_AGENT does not name the scripted agent's program. ctest sets it; by hand it is BUILD/tests/scriptedagent.");
    record(MainScript, 1);
    record(JobsScript, 2);
    record(RestScript, 2);
    qInfo("the scripts take %.1f, %.1f and %.1f s", m_ms[0] / 1000, m_ms[1] / 1000, m_ms[2] / 1000);
}

// A new step of a recipe cannot be forgotten: the host tells which steps its recipes have.
void tst_CrashWalk::everyStepHasItsPoint()
{
    QSet<QString> passed;
    for (const QStringList &some : std::as_const(m_passed))
        passed.unite(QSet<QString>(some.begin(), some.end()));
    const backend::StageDeadlines deadlines;
    for (const backend::WorkflowRecipe &recipe : {backend::sandboxRecipe(true, deadlines), backend::agentRecipe({}, deadlines), backend::sessionRecipe({}, {}, deadlines)}) {
        for (const backend::WorkflowStep &step : recipe.steps)
            m_steps.insert(recipe.kind + QLatin1Char('/') + step.name);
    }
    for (const char *step : {"repository/clone", "repository/check", "install/install", "commit/record", "revert/keep", "archive/save", "purge/forget", "sandbox/branch_attach"})
        QVERIFY2(m_steps.contains(QString::fromLatin1(step)), step);
    for (const QString &step : std::as_const(m_steps)) {
        const QString name = QStringLiteral("step %1 ").arg(step);
        QVERIFY2(passed.contains(name + QStringLiteral("running")), qPrintable(name));
        QVERIFY2(passed.contains(name + QStringLiteral("done")) || passed.contains(name + QStringLiteral("skipped")), qPrintable(name));
    }
    for (const char *name : {"send sandbox prompt", "received sandbox prompt", "effect prompt", "effect turn", "send task turnEnded", "received task turnEnded", "command app createOrganization",
             "received organization create", "command organization removeRepository", "command organization restoreTask", "command task setModel", "command task answerQuestion",
             "command task answerPermission", "command task cancelTurn", "command task resolveBranchClash", "command task retryStage", "command task cancelProvisioning",
             "command task resendInterrupted", "command sandbox createProcess"})
        QVERIFY2(passed.contains(QString::fromLatin1(name)), name);
}

void tst_CrashWalk::runAll(const QList<Walked> &spots, bool mustHit)
{
    QStringList failed;
    int hits = 0;
    for (const Walked &walked : spots) {
        const auto run = make(walked);
        const QString wrong = run->run();
        const QString name = nameOf(walked.script, walked.spot.life) + walked.spot.text();
        hits += run->wasHit() ? 1 : 0;
        if (!wrong.isEmpty())
            failed.append(name + QStringLiteral(": ") + wrong);
        else if (mustHit && !run->wasHit() && walked.spot.pass == 1)
            failed.append(name + QStringLiteral(": this point was not passed"));
        if (!wrong.isEmpty())
            qWarning("%ls", qUtf16Printable(failed.last()));
        if (failed.size() >= 8)
            break;
    }
    qInfo("%d kills at %d spots", hits, int(spots.size()));
    QVERIFY2(failed.isEmpty(), qPrintable(QStringLiteral("%1 spots went wrong: %2").arg(failed.size()).arg(failed.join(QLatin1Char('\n')))));
}

QList<Walked> tst_CrashWalk::piece(const QList<Walked> &spots)
{
    int pieces = 1;
    int wanted = 1;
    QString script;
    const QStringList words = mode().split(QLatin1Char(':')).mid(1);
    for (const QString &word : isAll() ? words : QStringList()) {
        const QStringList parts = word.split(QLatin1Char('/'));
        if (parts.size() == 2) {
            wanted = parts.at(0).toInt();
            pieces = parts.at(1).toInt();
        } else {
            script = word;
        }
    }
    QList<Walked> some;
    for (qsizetype i = 0; i < spots.size(); ++i) {
        const Walked &spot = spots[i];
        if (i % pieces == wanted - 1 && (script.isEmpty() || nameOf(spot.script, spot.spot.life).startsWith(script)))
            some.append(spot);
    }
    return some;
}

QList<Walked> tst_CrashWalk::spotsOf(const QStringList &passed, CrashScript script, int life) const
{
    static const QStringList onlyAfter{QStringLiteral("effect turn"), QStringLiteral("effect session_creating")};
    QList<Walked> spots;
    QMap<QString, int> seen;
    for (const QString &name : passed) {
        const int pass = ++seen[name];
        // Of the third script's four tasks, which begin alike: each point's first pass and its last.
        if (pass > 1 && (!isAll() || (script == RestScript && pass < passed.count(name))))
            continue;
        if (!name.startsWith(QLatin1StringView("answer ")) && !onlyAfter.contains(name))
            spots.append({{name, true, pass, -1, life}, script});
        spots.append({{name, false, pass, -1, life}, script});
    }
    if (isAll())
        return spots;
    // The same every time, spread over the whole; what delivers a prompt or lets go of a work tree is always among them.
    QList<Walked> sample;
    const qsizetype number = life == 2 ? 1 : script == MainScript ? 4 : 2;
    for (qsizetype i = 0; i < spots.size(); ++i) {
        const QString &name = spots[i].spot.name;
        const char *const wanted = script == MainScript ? "effect prompt" : script == JobsScript ? "step delete/release done" : "step sandbox/branch_attach done";
        const bool always = name == QLatin1StringView(wanted) && (script == MainScript || spots[i].spot.before == (script == RestScript));
        if (always || (i * number / spots.size()) != ((i + 1) * number / spots.size()))
            sample.append(spots[i]);
    }
    return sample;
}

void tst_CrashWalk::walk()
{
    if (isOne()) {
        Walked walked;
        QString text = mode();
        const auto walks = m_passed.keys();
        for (const auto &[script, life] : walks) {
            const QString name = nameOf(script, life);
            if (name.isEmpty() || !mode().startsWith(name))
                continue;
            walked.script = script;
            walked.spot.life = life;
            text = mode().mid(name.size());
        }
        const QStringList parts = text.split(QLatin1Char('|'));
        walked.spot.name = parts.value(0);
        walked.spot.before = parts.value(1) == QLatin1StringView("before");
        walked.spot.pass = parts.value(2).toInt();
        runAll({walked}, true);
        return;
    }
    QList<Walked> spots;
    for (auto it = m_passed.begin(); it != m_passed.end(); ++it)
        spots.append(spotsOf(it.value(), it.key().first, it.key().second));
    qInfo("%d spots", int(spots.size()));
    runAll(piece(spots), true);
}

// At any other moment: any pass through any point, and by the clock.
void tst_CrashWalk::kills()
{
    if (isOne())
        QSKIP("one point was asked for");
    QRandomGenerator random(20261125);
    QList<Walked> spots;
    for (int i = 0; i < (isAll() ? 200 : 3); ++i) {
        const auto script = CrashScript(i / 2 % 3);
        const QStringList &passed = m_passed[{script, 1}];
        if (i % 2 == 0)
            spots.append({{QStringLiteral("*"), random.bounded(2) == 0, int(random.bounded(quint32(passed.size()))) + 1}, script});
        else
            spots.append({{{}, true, 1, int(random.bounded(quint32(m_ms[script])))}, script});
    }
    runAll(piece(spots), false);
}

QTEST_GUILESS_MAIN(tst_CrashWalk)
#include "tst_crashwalk.moc"
