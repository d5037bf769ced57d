// The crash walk: a real foundry-host is killed just before and just after each record of each workflow step, each send
// and each command, and around each effect; after the restart everything ends as without a crash, nothing is doubled,
// and a turn that was cut says so. The points are those that a run without a crash passes. A fixed sample, or all of
// them and 200 kills at other moments with FOUNDRY_CRASH_WALK=all (all:2/5 is the second fifth of that); a single one with
// FOUNDRY_CRASH_WALK=NAME|before|1, or jobs:NAME|before|1 of the second script, or jobs2: of what that does 14 days later.
#include "backend/actors/stageplan.h"
#include "tests/backend_actors/crashjobs.h"

#include <QElapsedTimer>
#include <QFile>
#include <QRandomGenerator>
#include <QTest>

using namespace foundry;
using foundry::test::CrashJobs;
using foundry::test::CrashRun;
using foundry::test::CrashSpot;

struct Walked {
    CrashSpot spot;
    bool jobs = false; // the second script
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
    static std::unique_ptr<CrashRun> make(const Walked &walked);
    // Of all spots: the piece that is asked for.
    static QList<Walked> piece(const QList<Walked> &spots);
    QList<Walked> spotsOf(const QStringList &passed, bool jobs, int life) const;
    void record(bool jobs, int lives);
    void runAll(const QList<Walked> &spots, bool mustHit);

    // Of runs without a crash, by script and life: the points in order, with repeats.
    QMap<QPair<bool, int>, QStringList> m_passed;
    QSet<QString> m_steps; // that recipes have
    double m_ms[2] = {0, 0};
};

std::unique_ptr<CrashRun> tst_CrashWalk::make(const Walked &walked)
{
    return walked.jobs ? std::make_unique<CrashJobs>(walked.spot) : std::make_unique<CrashRun>(walked.spot);
}

void tst_CrashWalk::record(bool jobs, int lives)
{
    QElapsedTimer clock;
    clock.start();
    const auto run = make({{}, jobs});
    const QString wrong = run->run();
    QVERIFY2(wrong.isEmpty(), qPrintable(wrong));
    m_ms[jobs ? 1 : 0] = double(clock.elapsed());
    for (int life = 1; life <= lives; ++life) {
        QStringList passed = run->passed(life);
        for (const QString &line : std::as_const(passed)) {
            if (line.startsWith(QLatin1StringView("has ")))
                m_steps.insert(line.mid(4));
        }
        passed.removeIf([](const QString &line) { return line.startsWith(QLatin1StringView("has ")); });
        QVERIFY(passed.size() > 5);
        m_passed.insert({jobs, life}, passed);
    }
}

void tst_CrashWalk::initTestCase()
{
    QVERIFY2(QFile::exists(qEnvironmentVariable("SCRIPTED_AGENT")),
        "SCRIPTED_AGENT does not name the scripted agent's program. ctest sets it; by hand it is BUILD/tests/scriptedagent.");
    record(false, 1);
    record(true, 2);
    qInfo("a run takes %.1f s, one of the jobs %.1f s", m_ms[0] / 1000, m_ms[1] / 1000);
}

// A new step of a recipe cannot be forgotten: the host tells which steps its recipes have.
void tst_CrashWalk::everyStepHasItsPoint()
{
    QSet<QString> passed;
    for (const QStringList &some : std::as_const(m_passed))
        passed.unite(QSet<QString>(some.begin(), some.end()));
    const backend::StageDeadlines deadlines;
    for (const backend::WorkflowRecipe &recipe : {backend::sandboxRecipe(false, deadlines), backend::agentRecipe({}, deadlines), backend::sessionRecipe({}, {}, deadlines)}) {
        for (const backend::WorkflowStep &step : recipe.steps)
            m_steps.insert(recipe.kind + QLatin1Char('/') + step.name);
    }
    for (const char *step : {"repository/clone", "repository/check", "install/install", "commit/record", "revert/keep", "archive/save", "purge/forget"})
        QVERIFY2(m_steps.contains(QString::fromLatin1(step)), step);
    for (const QString &step : std::as_const(m_steps)) {
        const QString name = QStringLiteral("step %1 ").arg(step);
        QVERIFY2(passed.contains(name + QStringLiteral("running")), qPrintable(name));
        QVERIFY2(passed.contains(name + QStringLiteral("done")) || passed.contains(name + QStringLiteral("skipped")), qPrintable(name));
    }
    for (const char *name : {"send sandbox prompt", "received sandbox prompt", "effect prompt", "effect turn", "send task turnEnded", "received task turnEnded"})
        QVERIFY2(passed.contains(QString::fromLatin1(name)), name);
}

void tst_CrashWalk::runAll(const QList<Walked> &spots, bool mustHit)
{
    QStringList failed;
    int hits = 0;
    for (const Walked &walked : spots) {
        const auto run = make(walked);
        const QString wrong = run->run();
        const QString name = QStringLiteral("%1%2").arg(walked.jobs ? walked.spot.life == 2 ? QStringLiteral("jobs2:") : QStringLiteral("jobs:") : QString(), walked.spot.text());
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
    const QStringList parts = mode().section(QLatin1Char(':'), 1).split(QLatin1Char('/'));
    if (!isAll() || parts.size() != 2)
        return spots;
    QList<Walked> some;
    for (qsizetype i = 0; i < spots.size(); ++i) {
        if (i % parts.at(1).toInt() == parts.at(0).toInt() - 1)
            some.append(spots[i]);
    }
    return some;
}

QList<Walked> tst_CrashWalk::spotsOf(const QStringList &passed, bool jobs, int life) const
{
    static const QStringList onlyAfter{QStringLiteral("effect turn"), QStringLiteral("effect session_creating")};
    QList<Walked> spots;
    QMap<QString, int> seen;
    for (const QString &name : passed) {
        const int pass = ++seen[name];
        if (!isAll() && pass > 1)
            continue;
        if (!name.startsWith(QLatin1StringView("answer ")) && !onlyAfter.contains(name))
            spots.append({{name, true, pass, -1, life}, jobs});
        spots.append({{name, false, pass, -1, life}, jobs});
    }
    if (isAll())
        return spots;
    // The same every time, spread over the whole; what delivers a prompt or lets go of a work tree is always among them.
    QList<Walked> sample;
    const qsizetype wanted = !jobs ? 6 : life == 1 ? 2 : 1;
    for (qsizetype i = 0; i < spots.size(); ++i) {
        const QString &name = spots[i].spot.name;
        const bool always = jobs ? name == QLatin1StringView("step delete/release done") && !spots[i].spot.before : name == QLatin1StringView("effect prompt");
        if (always || (i * wanted / spots.size()) != ((i + 1) * wanted / spots.size()))
            sample.append(spots[i]);
    }
    return sample;
}

void tst_CrashWalk::walk()
{
    if (isOne()) {
        const QString name = mode();
        const QStringList parts = name.section(QLatin1Char(':'), name.startsWith(QLatin1StringView("jobs")) ? 1 : 0).split(QLatin1Char('|'));
        CrashSpot spot{parts.at(0), parts.value(1) == QLatin1StringView("before"), parts.value(2).toInt()};
        spot.life = name.startsWith(QLatin1StringView("jobs2:")) ? 2 : 1;
        runAll({{spot, name.startsWith(QLatin1StringView("jobs"))}}, true);
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
        const bool jobs = i % 4 == 2;
        const QStringList &passed = m_passed[{jobs, 1}];
        if (i % 2 == 0)
            spots.append({{QStringLiteral("*"), random.bounded(2) == 0, int(random.bounded(quint32(passed.size()))) + 1}, jobs});
        else
            spots.append({{{}, true, 1, int(random.bounded(quint32(m_ms[i % 4 == 3 ? 1 : 0])))}, i % 4 == 3});
    }
    runAll(piece(spots), false);
}

QTEST_GUILESS_MAIN(tst_CrashWalk)
#include "tst_crashwalk.moc"
