// The crash walk: a real foundry-host is killed just before and just after each record of each workflow step, each send
// and each command, and around each effect; after the restart everything ends as without a crash, nothing is doubled,
// and a turn that was cut says so. The points are those that a run without a crash passes. A fixed sample, or all of
// them and 200 kills at other moments with FOUNDRY_CRASH_WALK=all; one with FOUNDRY_CRASH_WALK=NAME|before|1.
#include "backend/actors/stageplan.h"
#include "tests/backend_actors/crashrun.h"

#include <QElapsedTimer>
#include <QRandomGenerator>
#include <QTest>

using namespace foundry;
using foundry::test::CrashRun;
using foundry::test::CrashSpot;

class tst_CrashWalk : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void everyStepHasItsPoint();
    void walk();
    void kills();

private:
    static QString mode() { return qEnvironmentVariable("FOUNDRY_CRASH_WALK"); }
    void runAll(const QList<CrashSpot> &spots, bool mustHit);

    QStringList m_passed; // of a run without a crash, in order, with repeats
    double m_ms = 0;
};

void tst_CrashWalk::initTestCase()
{
    QElapsedTimer clock;
    clock.start();
    CrashRun run({});
    const QString wrong = run.run();
    QVERIFY2(wrong.isEmpty(), qPrintable(wrong));
    m_passed = run.passed();
    m_ms = double(clock.elapsed());
    QVERIFY(m_passed.size() > 50);
}

// A new step of a recipe cannot be forgotten: the walk knows the recipes.
void tst_CrashWalk::everyStepHasItsPoint()
{
    const backend::StageDeadlines deadlines;
    for (const backend::WorkflowRecipe &recipe : {backend::sandboxRecipe(false, deadlines), backend::agentRecipe({}, deadlines), backend::sessionRecipe({}, {}, deadlines)}) {
        for (const backend::WorkflowStep &step : recipe.steps) {
            const QString name = QStringLiteral("step %1/%2 ").arg(recipe.kind, step.name);
            QVERIFY2(m_passed.contains(name + QStringLiteral("running")), qPrintable(name));
            QVERIFY2(m_passed.contains(name + QStringLiteral("done")) || m_passed.contains(name + QStringLiteral("skipped")), qPrintable(name));
        }
    }
    for (const char *name : {"send sandbox prompt", "received sandbox prompt", "effect prompt", "effect turn", "send task turnEnded", "received task turnEnded"})
        QVERIFY2(m_passed.contains(QString::fromLatin1(name)), name);
}

void tst_CrashWalk::runAll(const QList<CrashSpot> &spots, bool mustHit)
{
    QStringList failed;
    int hits = 0;
    for (const CrashSpot &spot : spots) {
        CrashRun run(spot);
        const QString wrong = run.run();
        hits += run.wasHit() ? 1 : 0;
        if (!wrong.isEmpty())
            failed.append(spot.text() + QStringLiteral(": ") + wrong);
        else if (mustHit && !run.wasHit() && spot.pass == 1)
            failed.append(spot.text() + QStringLiteral(": this point was not passed"));
        if (!wrong.isEmpty())
            qWarning("%ls", qUtf16Printable(failed.last()));
        if (failed.size() >= 8)
            break;
    }
    qInfo("%d kills at %d spots", hits, int(spots.size()));
    QVERIFY2(failed.isEmpty(), qPrintable(QStringLiteral("%1 spots went wrong").arg(failed.size())));
}

void tst_CrashWalk::walk()
{
    if (const QStringList parts = mode().split(QLatin1Char('|')); parts.size() == 3) {
        runAll({CrashSpot{parts.at(0), parts.at(1) == QLatin1StringView("before"), parts.at(2).toInt()}}, true);
        return;
    }
    const bool all = mode() == QLatin1StringView("all");
    QList<CrashSpot> spots;
    QMap<QString, int> seen;
    for (const QString &name : std::as_const(m_passed)) {
        const int pass = ++seen[name];
        if (!all && pass > 1)
            continue;
        if (!name.startsWith(QLatin1StringView("answer ")) && name != QLatin1StringView("effect turn"))
            spots.append({name, true, pass});
        spots.append({name, false, pass});
    }
    if (!all) {
        // The same every time, spread over the whole; what delivers a prompt is always among them.
        QList<CrashSpot> sample;
        constexpr int wanted = 14;
        for (qsizetype i = 0; i < spots.size(); ++i) {
            const bool always = spots[i].name == QLatin1StringView("effect prompt") || spots[i].name == QLatin1StringView("effect repo_prepared");
            if (always || (i * wanted / spots.size()) != ((i + 1) * wanted / spots.size()))
                sample.append(spots[i]);
        }
        spots = sample;
    }
    runAll(spots, true);
}

// At any other moment: any pass through any point, and by the clock.
void tst_CrashWalk::kills()
{
    const bool all = mode() == QLatin1StringView("all");
    if (mode().contains(QLatin1Char('|')))
        QSKIP("one point was asked for");
    QRandomGenerator random(20261125);
    QList<CrashSpot> spots;
    for (int i = 0; i < (all ? 200 : 4); ++i) {
        if (i % 2 == 0)
            spots.append({QStringLiteral("*"), random.bounded(2) == 0, int(random.bounded(quint32(m_passed.size()))) + 1});
        else
            spots.append({{}, true, 1, int(random.bounded(quint32(m_ms)))});
    }
    runAll(spots, false);
}

QTEST_GUILESS_MAIN(tst_CrashWalk)
#include "tst_crashwalk.moc"
