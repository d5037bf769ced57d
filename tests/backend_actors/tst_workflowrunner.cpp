// The durable step runner in a real actor: order, attempts, deadline, cancel, resumption after a stop, other recipes.
#include "backend/actors/actorruntime.h"
#include "backend/workflows/workflowrunner.h"

#include <QDateTime>
#include <QElapsedTimer>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTemporaryDir>
#include <QTest>

#include <mutex>

using namespace foundry;
using namespace foundry::backend;

namespace {

// What happened, and how steps shall behave: shared with the actor.
struct Script {
    std::mutex mutex;
    QStringList begun;
    QStringList abandoned;
    int version = 1;
    bool finishAtOnce = false;
    QList<qint64> waits; // of step "one"
    QStringList undone;

    QStringList takeBegun()
    {
        const std::lock_guard lock(mutex);
        return std::exchange(begun, {});
    }
};

WorkflowRecipe recipeOf(const QString &workflow, const Script &script, qint64 deadline = 0)
{
    if (workflow == QLatin1StringView("b"))
        return {workflow, QStringLiteral("k"), {{QStringLiteral("three"), 0}}, {QStringLiteral("a")}};
    WorkflowRecipe recipe{workflow, QStringLiteral("k"), {{QStringLiteral("one"), deadline, script.waits, true}, {QStringLiteral("two"), 0}}};
    if (script.version > 1)
        recipe.steps.insert(0, {QStringLiteral("zero"), 0});
    return recipe;
}

class StepActor : public Actor {
public:
    StepActor(ActorContext &context, std::shared_ptr<Script> script)
        : Actor(context)
        , m_script(script)
        , m_runner(context, script->version,
              {[this](Transaction &tx, const StepRecord &step, bool resumed) {
                   {
                       const std::lock_guard lock(m_script->mutex);
                       m_script->begun.append(QStringLiteral("%1.%2.%3%4").arg(step.workflow, step.step).arg(step.attempt).arg(resumed ? QStringLiteral(".resumed") : QString()));
                   }
                   if (m_script->finishAtOnce)
                       m_runner.finish(tx, step.workflow, step.step, step.attempt, QByteArray("{}"));
               },
                  {},
                  [this](Transaction &, const StepRecord &step) {
                      const std::lock_guard lock(m_script->mutex);
                      m_script->abandoned.append(step.step);
                  },
                  {}, {},
                  [this](Transaction &, const QString &workflow) {
                      const std::lock_guard lock(m_script->mutex);
                      m_script->undone.append(workflow);
                  },
                  [](const StepRecord &step) { return step.error && step.error->group == QLatin1StringView("git"); }, {},
                  [this](const QString &workflow) { return recipeOf(workflow, *m_script); }})
        , m_other(context, 1, {}, QStringLiteral("other"))
    {
    }
    QStringList migrations() const override { return {WorkflowRunner::schema(), WorkflowRunner::schema2(), WorkflowRunner::schema3()}; }
    void started() override
    {
        auto done = context().transaction([this](Transaction &tx) -> Result<> {
            m_runner.resume(tx);
            tx.setAlarm(m_runner.nextDeadline());
            return Unit{};
        });
        Q_UNUSED(done);
    }
    void alarm() override
    {
        auto done = context().transaction([this](Transaction &tx) -> Result<> {
            m_runner.checkDeadlines(tx, QDateTime::currentMSecsSinceEpoch());
            tx.setAlarm(m_runner.nextDeadline());
            return Unit{};
        });
        Q_UNUSED(done);
    }
    void registerActions(ActionTable &table) override
    {
        table.command(QStringLiteral("do"), [this](Transaction &tx, const Caller &, QByteArrayView args) -> Result<QByteArray> {
            const QJsonObject ask = QJsonDocument::fromJson(args.toByteArray()).array().first().toObject();
            const auto text = [&](const char *key) { return ask.value(QLatin1StringView(key)).toString(); };
            const QString what = text("what");
            const qint64 attempt = ask.value(QLatin1StringView("attempt")).toInteger(1);
            Result<> done = Unit{};
            if (what == QLatin1StringView("start")) {
                m_runner.start(tx, recipeOf(QStringLiteral("a"), *m_script, ask.value(QLatin1StringView("deadline")).toInteger()));
                m_runner.start(tx, recipeOf(QStringLiteral("b"), *m_script));
            } else if (what == QLatin1StringView("finish")) {
                m_runner.finish(tx, text("workflow"), text("step"), attempt, QByteArray("{}"));
            } else if (what == QLatin1StringView("fail")) {
                m_runner.finish(tx, text("workflow"), text("step"), attempt, makeError(QLatin1StringView("git"), QLatin1StringView("failed"), QStringLiteral("No.")));
            } else if (what == QLatin1StringView("hold") || what == QLatin1StringView("letGo")) {
                m_runner.hold(tx, text("workflow"), text("step"), attempt, what == QLatin1StringView("hold"));
            } else if (what == QLatin1StringView("progress")) {
                m_runner.progress(tx, text("workflow"), text("step"), attempt, QStringLiteral("half"), QStringLiteral("a line\n"));
            } else if (what == QLatin1StringView("retry")) {
                done = m_runner.retry(tx, text("workflow"), text("step"), QStringLiteral("asked"));
            } else if (what == QLatin1StringView("cancel")) {
                m_runner.cancel(tx, text("workflow"));
            } else if (what == QLatin1StringView("undo")) {
                m_runner.undo(tx, text("workflow"));
            } else if (what == QLatin1StringView("prune")) {
                m_runner.prune(tx, QDateTime::currentMSecsSinceEpoch() + 1000);
            } else if (what == QLatin1StringView("other")) { // a workflow of the other family, and all it can do to ours
                m_other.start(tx, {QStringLiteral("other:x"), QStringLiteral("o"), {{QStringLiteral("one"), 1}}});
                m_other.advance(tx);
                m_other.cancel(tx, QStringLiteral("a"));
                m_other.forget(tx, QStringLiteral("a"));
                m_other.finish(tx, QStringLiteral("a"), QStringLiteral("one"), 1, QByteArray("{}"));
                m_runner.resume(tx);
                m_runner.checkDeadlines(tx, QDateTime::currentMSecsSinceEpoch() + 1000);
                if (m_other.step(QStringLiteral("other:x"), QStringLiteral("one"))->state != StageState::Running || m_runner.exists(QStringLiteral("other:x"))
                    || m_runner.nextDeadline() || m_other.workflows() != QStringList{QStringLiteral("other:x")})
                    done = makeError(QLatin1StringView("state"), QLatin1StringView("conflict"), QStringLiteral("The families see each other."));
            }
            m_runner.advance(tx);
            tx.setAlarm(m_runner.nextDeadline());
            return done ? Result<QByteArray>(QByteArray("null")) : Result<QByteArray>(done.error());
        });
        table.read(QStringLiteral("state"), [this](const Caller &, QByteArrayView args) -> Result<QByteArray> {
            const QJsonObject ask = QJsonDocument::fromJson(args.toByteArray()).array().first().toObject();
            const auto step = m_runner.step(ask.value(QLatin1StringView("workflow")).toString(), ask.value(QLatin1StringView("step")).toString());
            if (!step)
                return QByteArray("{}");
            const auto log = m_runner.log(step->workflow, step->step, 1);
            return QJsonDocument(QJsonObject{{QStringLiteral("state"), OpenEnum<StageState>(step->state).text()},
                                     {QStringLiteral("attempt"), step->attempt}, {QStringLiteral("error"), step->error ? step->error->code : QString()},
                                     {QStringLiteral("log"), log.value_or(QString())}, {QStringLiteral("message"), step->message.value_or(QString())}, {QStringLiteral("hasWork"), m_runner.hasWork()}})
                .toJson(QJsonDocument::Compact);
        });
    }

private:
    std::shared_ptr<Script> m_script;
    WorkflowRunner m_runner;
    WorkflowRunner m_other;
};

} // namespace

class tst_WorkflowRunner : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        m_dir = std::make_unique<QTemporaryDir>();
        m_script = std::make_shared<Script>();
        start();
    }
    void cleanup() { stop(); }

    void inOrderAndAfterEachOther();
    void attempts();
    void resumes();
    void otherRecipe();
    void deadline();
    void deadlineOfWhatIsHeld();
    void cancel();
    void stepsThatEndAtOnce();
    void familiesAreApart();
    void retriesThatTheStepAllows();
    void undo();
    void prunesWhatIsOver();

private:
    void start()
    {
        RuntimeOptions options;
        options.dataDir = m_dir->path();
        m_runtime = std::make_unique<ActorRuntime>(options,
            QList<ActorFactory>{{QStringLiteral("steps"), [](const QStringList &) { return true; }, CreatedBy::FirstTouch,
                [script = m_script](ActorContext &context) { return std::make_unique<StepActor>(context, script); }}});
        if (!m_runtime->open(nullptr))
            qFatal("cannot open");
        bool ready = false;
        m_runtime->start([&ready] { ready = true; });
        if (!QTest::qWaitFor([&ready] { return ready; }))
            qFatal("not ready");
    }
    void stop()
    {
        bool done = false;
        m_runtime->stop([&done] { done = true; });
        if (!QTest::qWaitFor([&done] { return done; }))
            qFatal("not stopped");
        m_runtime.reset();
    }
    Result<QByteArray> call(const QString &action, const QJsonObject &ask)
    {
        const auto ref = m_runtime->getOrCreate({QStringLiteral("steps"), {QStringLiteral("x")}});
        auto answer = std::make_shared<std::optional<Result<QByteArray>>>();
        auto mutex = std::make_shared<std::mutex>();
        m_runtime->act(ref->id, ActorCall{action, '[' + QJsonDocument(ask).toJson(QJsonDocument::Compact) + ']', {}, {}}, [answer, mutex](Result<QByteArray> result) {
            const std::lock_guard lock(*mutex);
            *answer = std::move(result);
        });
        const bool came = QTest::qWaitFor([&] {
            const std::lock_guard lock(*mutex);
            return answer->has_value();
        });
        if (!came)
            qFatal("no answer");
        return **answer;
    }
    bool perform(const char *what, const char *workflow = "", const char *step = "", int attempt = 1, int deadline = 0)
    {
        return call(QStringLiteral("do"),
            {{QStringLiteral("requestId"), makeUuid7()}, {QStringLiteral("what"), QString::fromLatin1(what)}, {QStringLiteral("workflow"), QString::fromLatin1(workflow)},
                {QStringLiteral("step"), QString::fromLatin1(step)}, {QStringLiteral("attempt"), attempt}, {QStringLiteral("deadline"), deadline}})
            .ok();
    }
    QJsonObject state(const char *workflow, const char *step)
    {
        return QJsonDocument::fromJson(
            *call(QStringLiteral("state"), {{QStringLiteral("workflow"), QString::fromLatin1(workflow)}, {QStringLiteral("step"), QString::fromLatin1(step)}}))
            .object();
    }
    QString stateText(const char *workflow, const char *step) { return state(workflow, step).value(QLatin1StringView("state")).toString(); }

    std::unique_ptr<QTemporaryDir> m_dir;
    std::shared_ptr<Script> m_script;
    std::unique_ptr<ActorRuntime> m_runtime;
};

void tst_WorkflowRunner::inOrderAndAfterEachOther()
{
    QVERIFY(perform("start"));
    QCOMPARE(m_script->takeBegun(), QStringList{QStringLiteral("a.one.1")});
    QVERIFY(perform("finish", "a", "two")); // not its turn
    QCOMPARE(stateText("a", "two"), QStringLiteral("pending"));
    QVERIFY(perform("progress", "a", "one"));
    QVERIFY(perform("finish", "a", "one"));
    QCOMPARE(m_script->takeBegun(), QStringList{QStringLiteral("a.two.1")});
    QVERIFY(perform("finish", "a", "two"));
    QCOMPARE(m_script->takeBegun(), QStringList{QStringLiteral("b.three.1")});
    QVERIFY(perform("finish", "b", "three"));
    QVERIFY(!state("b", "three").value(QLatin1StringView("hasWork")).toBool());
    QCOMPARE(state("a", "one").value(QLatin1StringView("log")).toString(), QStringLiteral("a line\n"));
    QVERIFY(perform("start")); // there already: nothing begins again
    QVERIFY(m_script->takeBegun().isEmpty());
}

void tst_WorkflowRunner::attempts()
{
    QVERIFY(perform("start"));
    QVERIFY(perform("progress", "a", "one"));
    QVERIFY(perform("fail", "a", "one"));
    QCOMPARE(stateText("a", "one"), QStringLiteral("failed"));
    m_script->takeBegun();
    QVERIFY(perform("retry", "a", "one"));
    QCOMPARE(m_script->takeBegun(), QStringList{QStringLiteral("a.one.2")});
    QVERIFY(perform("finish", "a", "one", 1)); // an answer to the first attempt
    QCOMPARE(stateText("a", "one"), QStringLiteral("running"));
    QCOMPARE(state("a", "one").value(QLatin1StringView("log")).toString(), QStringLiteral("a line\n")); // of attempt 1
    QVERIFY(perform("finish", "a", "one", 2));
    QCOMPARE(stateText("a", "one"), QStringLiteral("done"));
    QVERIFY(!perform("retry", "a", "none"));
}

void tst_WorkflowRunner::resumes()
{
    QVERIFY(perform("start"));
    QVERIFY(perform("finish", "a", "one"));
    m_script->takeBegun();
    stop();
    start();
    QCOMPARE(stateText("a", "one"), QStringLiteral("done"));
    QCOMPARE(m_script->takeBegun(), QStringList{QStringLiteral("a.two.1.resumed")});
    QVERIFY(perform("finish", "a", "two"));
    QCOMPARE(stateText("b", "three"), QStringLiteral("running"));
}

void tst_WorkflowRunner::otherRecipe()
{
    QVERIFY(perform("start"));
    stop();
    m_script->version = 2;
    m_script->takeBegun();
    start();
    QCOMPARE(state("a", "one").value(QLatin1StringView("error")).toString(), QStringLiteral("recipe_changed"));
    QVERIFY(m_script->takeBegun().isEmpty());
    // What had not begun stops too when its turn comes; the user's retry begins today's recipe from its first step.
    QVERIFY(perform("retry", "a", "one"));
    QCOMPARE(m_script->takeBegun(), QStringList{QStringLiteral("a.zero.2")});
    QVERIFY(perform("finish", "a", "zero", 2));
    QVERIFY(perform("finish", "a", "one", 2));
    QVERIFY(perform("finish", "a", "two", 2));
    QCOMPARE(m_script->takeBegun(), (QStringList{QStringLiteral("a.one.2"), QStringLiteral("a.two.2")}));
    QCOMPARE(state("b", "three").value(QLatin1StringView("error")).toString(), QStringLiteral("recipe_changed"));
}

void tst_WorkflowRunner::familiesAreApart()
{
    QVERIFY(perform("start"));
    QVERIFY(perform("other"));
    QCOMPARE(stateText("a", "one"), QStringLiteral("running"));
    QVERIFY(m_script->abandoned.isEmpty());
}

void tst_WorkflowRunner::retriesThatTheStepAllows()
{
    m_script->waits = {50, 50};
    QVERIFY(perform("start"));
    QVERIFY(perform("progress", "a", "one"));
    QVERIFY(perform("fail", "a", "one"));
    QCOMPARE(stateText("a", "one"), QStringLiteral("pending"));
    QVERIFY(state("a", "one").value(QLatin1StringView("hasWork")).toBool());
    QVERIFY(state("a", "one").value(QLatin1StringView("message")).toString().contains(QLatin1StringView("No.")));
    QTRY_COMPARE(stateText("a", "one"), QStringLiteral("running"));
    QCOMPARE(state("a", "one").value(QLatin1StringView("log")).toString(), QStringLiteral("a line\n")); // of attempt 1, kept
    // A restart in a wait keeps it.
    QVERIFY(perform("fail", "a", "one", 2));
    stop();
    start();
    QCOMPARE(state("a", "one").value(QLatin1StringView("attempt")).toInteger(), 3);
    QTRY_COMPARE(stateText("a", "one"), QStringLiteral("running"));
    QCOMPARE(m_script->takeBegun(), (QStringList{QStringLiteral("a.one.1"), QStringLiteral("a.one.2"), QStringLiteral("a.one.3")}));
    // No more than the step says; then the user may.
    QVERIFY(perform("fail", "a", "one", 3));
    QCOMPARE(stateText("a", "one"), QStringLiteral("failed"));
    QVERIFY(perform("retry", "a", "one"));
    QVERIFY(perform("fail", "a", "one", 4));
    QCOMPARE(stateText("a", "one"), QStringLiteral("pending"));
    QVERIFY(perform("cancel", "a"));
    QCOMPARE(stateText("a", "one"), QStringLiteral("cancelled"));
}

void tst_WorkflowRunner::undo()
{
    QVERIFY(perform("start"));
    QVERIFY(perform("finish", "a", "one"));
    m_script->takeBegun();
    QVERIFY(perform("undo", "a"));
    QCOMPARE(m_script->abandoned, QStringList{QStringLiteral("two")});
    QCOMPARE(m_script->takeBegun(), QStringList{QStringLiteral("a.undo:one.1")});
    stop();
    start();
    QCOMPARE(stateText("a", "undo:one"), QStringLiteral("running"));
    QCOMPARE(m_script->takeBegun(), QStringList{QStringLiteral("a.undo:one.1.resumed")});
    QVERIFY(!perform("retry", "a", "two"));
    QVERIFY(m_script->undone.isEmpty());
    QVERIFY(perform("finish", "a", "undo:one"));
    QCOMPARE(m_script->undone, QStringList{QStringLiteral("a")});
    QCOMPARE(stateText("b", "three"), QStringLiteral("pending")); // what comes after it must not begin
}

void tst_WorkflowRunner::prunesWhatIsOver()
{
    QVERIFY(perform("start"));
    QVERIFY(perform("finish", "a", "one"));
    QVERIFY(perform("finish", "a", "two"));
    QVERIFY(perform("prune")); // "b" comes after it
    QCOMPARE(stateText("a", "two"), QStringLiteral("done"));
    QVERIFY(perform("finish", "b", "three"));
    QVERIFY(perform("prune"));
    QVERIFY(stateText("a", "two").isEmpty() && stateText("b", "three").isEmpty());
}

void tst_WorkflowRunner::deadline()
{
    QVERIFY(perform("start", "", "", 1, 150));
    QTRY_COMPARE(stateText("a", "one"), QStringLiteral("failed"));
    QCOMPARE(state("a", "one").value(QLatin1StringView("error")).toString(), QStringLiteral("deadline"));
    QCOMPARE(m_script->abandoned, QStringList{QStringLiteral("one")});
}

// It stands still while the step waits for others, and begins anew after that; an earlier attempt's word means nothing.
void tst_WorkflowRunner::deadlineOfWhatIsHeld()
{
    constexpr int deadline = 400;
    QVERIFY(perform("start", "", "", 1, deadline));
    QVERIFY(perform("hold", "a", "one"));
    QVERIFY(perform("letGo", "a", "one", 2));
    QTest::qWait(2 * deadline);
    QCOMPARE(stateText("a", "one"), QStringLiteral("running"));
    QElapsedTimer clock;
    clock.start();
    QVERIFY(perform("letGo", "a", "one"));
    QTRY_COMPARE(stateText("a", "one"), QStringLiteral("failed"));
    QVERIFY2(clock.elapsed() >= deadline, qPrintable(QString::number(clock.elapsed())));
    QCOMPARE(state("a", "one").value(QLatin1StringView("error")).toString(), QStringLiteral("deadline"));
    QVERIFY(perform("hold", "a", "one")); // over: nothing to hold
    QCOMPARE(stateText("a", "one"), QStringLiteral("failed"));
}

void tst_WorkflowRunner::cancel()
{
    QVERIFY(perform("start"));
    QVERIFY(perform("finish", "a", "one"));
    QVERIFY(perform("cancel", "a"));
    QCOMPARE(stateText("a", "one"), QStringLiteral("done"));
    QCOMPARE(stateText("a", "two"), QStringLiteral("cancelled"));
    QCOMPARE(stateText("b", "three"), QStringLiteral("pending"));
    QCOMPARE(m_script->abandoned, QStringList{QStringLiteral("two")});
    QVERIFY(perform("retry", "a", "two"));
    QVERIFY(perform("finish", "a", "two", 2));
    QCOMPARE(stateText("b", "three"), QStringLiteral("running"));
}

void tst_WorkflowRunner::stepsThatEndAtOnce()
{
    m_script->finishAtOnce = true;
    QVERIFY(perform("start"));
    QCOMPARE(stateText("b", "three"), QStringLiteral("done"));
    QCOMPARE(m_script->takeBegun().size(), 3);
}

QTEST_GUILESS_MAIN(tst_WorkflowRunner)
#include "tst_workflowrunner.moc"
