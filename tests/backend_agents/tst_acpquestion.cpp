// Questions of agents: the form as fields, words as values, and the whole way through a process.
#include "backend/agents/acpquestion.h"
#include "tests/backend_agents/agentdriver.h"

#include <QJsonDocument>
#include <QTemporaryDir>
#include <QTest>

using namespace foundry;
using namespace foundry::backend;
using foundry::test::AgentDriver;

namespace {

using Values = QMap<QString, QString>;

QJsonObject json(const char *text)
{
    return QJsonDocument::fromJson(text).object();
}

const QuestionField *fieldOf(const QuestionAsk &ask, const char *name)
{
    for (const QuestionField &field : ask.fields) {
        if (field.name == QLatin1StringView(name))
            return &field;
    }
    return nullptr;
}

} // namespace

class TestAcpQuestion : public QObject {
    Q_OBJECT

    QTemporaryDir m_folder;

    void begin(AgentDriver &driver, const char *mode)
    {
        driver.start(test::scriptedAgent(), {QString::fromLatin1(mode)}, m_folder.path());
        QTRY_VERIFY(driver.started.has_value() && driver.started->ok());
        QVERIFY(driver.open(m_folder.path()));
    }

private Q_SLOTS:
    void refusedForms()
    {
        QJsonObject many;
        for (int i = 0; i < 60; ++i)
            many.insert(QString::number(i), QJsonObject{{QStringLiteral("type"), QStringLiteral("string")}});
        QVERIFY(!acpQuestion(QStringLiteral("q"), {{QStringLiteral("mode"), QStringLiteral("form")}, {QStringLiteral("requestedSchema"), QJsonObject{{QStringLiteral("properties"), many}}}}));
        QVERIFY(!acpQuestion(QStringLiteral("q"), {{QStringLiteral("mode"), QStringLiteral("hologram")}}));
        // Only what a browser opens.
        for (const char *url : {"file:///etc/passwd", "javascript:alert(1)", "", "no url"})
            QVERIFY2(!acpQuestion(QStringLiteral("q"), {{QStringLiteral("mode"), QStringLiteral("url")}, {QStringLiteral("url"), QString::fromLatin1(url)}}), url);
        const QJsonObject words = json(R"({"mode":"form","message":"Go on?"})");
        const auto plain = acpQuestion(QStringLiteral("q"), words);
        QVERIFY(plain && plain->fields.isEmpty());
        QVERIFY(acpQuestionContent(*plain, {}));
    }

    void form()
    {
        AgentDriver driver;
        begin(driver, "question");
        driver.prompt(QStringLiteral("build"));
        QTRY_COMPARE(driver.questions.size(), 1);
        const QuestionAsk ask = driver.questions.first();
        QCOMPARE(ask.message, QStringLiteral("How shall it be built?"));
        QCOMPARE(ask.fields.size(), 6);
        QVERIFY(ask.fields.at(0).required && ask.fields.at(1).required && !ask.fields.at(2).required);
        QCOMPARE(fieldOf(ask, "branch")->type, QStringLiteral("enum"));
        QCOMPARE(fieldOf(ask, "branch")->options.at(1).name, QStringLiteral("Next"));
        QCOMPARE(fieldOf(ask, "jobs")->type, QStringLiteral("integer"));
        QCOMPARE(fieldOf(ask, "jobs")->value, QStringLiteral("2"));
        QCOMPARE(fieldOf(ask, "jobs")->maximum, 8.0);
        QCOMPARE(fieldOf(ask, "clean")->value, QStringLiteral("false"));
        QCOMPARE(fieldOf(ask, "name")->minimum, 2.0);
        QCOMPARE(fieldOf(ask, "parts")->options.size(), 2);

        const Values right{{QStringLiteral("branch"), QStringLiteral("next")}, {QStringLiteral("jobs"), QStringLiteral("4")},
            {QStringLiteral("factor"), QStringLiteral("1.5")}, {QStringLiteral("clean"), QStringLiteral("true")},
            {QStringLiteral("parts"), QStringLiteral("[\"b\"]")}};
        const QList<std::pair<const char *, const char *>> wrong{{"branch", "other"}, {"branch", ""}, {"jobs", "four"}, {"jobs", "4.5"}, {"jobs", "9"},
            {"factor", "nan"}, {"factor", "much"}, {"clean", "yes"}, {"name", "x"}, {"name", "UPPER"}, {"parts", "b"}, {"parts", "[\"c\"]"},
            {"parts", "[\"a\",\"b\"]"}, {"nothing", "1"}};
        for (const auto &[name, value] : wrong) {
            Values values = right;
            values.insert(QString::fromLatin1(name), QString::fromLatin1(value));
            const auto refused = driver.client().answerQuestion(ask.requestId, QStringLiteral("accept"), values);
            QVERIFY2(!refused, name);
            QCOMPARE(refused.error().key(), QStringLiteral("input.invalid"));
            QCOMPARE(refused.error().detail, QString::fromLatin1(name));
        }
        QVERIFY(!driver.turn);
        QVERIFY(driver.client().answerQuestion(ask.requestId, QStringLiteral("accept"), right));
        QTRY_VERIFY(driver.turn.has_value());
        const QJsonObject expected = json(R"({"action":"accept","content":{"branch":"next","clean":true,"factor":1.5,"jobs":4,"parts":["b"]}})");
        QCOMPARE(QJsonDocument::fromJson(driver.text().toUtf8()).object(), expected);
        QCOMPARE(driver.client().answerQuestion(ask.requestId, QStringLiteral("decline")).error().key(), QStringLiteral("state.conflict"));
    }

    void declined()
    {
        AgentDriver driver;
        begin(driver, "question");
        driver.prompt(QStringLiteral("build"));
        QTRY_COMPARE(driver.questions.size(), 1);
        // A permission's answer is none of a question.
        QVERIFY(!driver.client().dismissPermission(driver.questions.first().requestId));
        QVERIFY(driver.client().answerQuestion(driver.questions.first().requestId, QStringLiteral("decline")));
        QTRY_VERIFY(driver.turn.has_value());
        QCOMPARE(driver.text(), QStringLiteral("{\"action\":\"decline\"}"));
    }

    void cancelledWithItsTurn()
    {
        AgentDriver driver;
        begin(driver, "question");
        driver.prompt(QStringLiteral("build"));
        QTRY_COMPARE(driver.questions.size(), 1);
        driver.client().cancel(driver.sessionId);
        QCOMPARE(driver.withdrawn, QStringList(driver.questions.first().requestId));
        QTRY_VERIFY(driver.turn.has_value());
        QCOMPARE((*driver.turn)->stopReason, QStringLiteral("cancelled"));
    }

    void takenBack()
    {
        AgentDriver driver;
        begin(driver, "question");
        driver.prompt(QStringLiteral("late"));
        QTRY_VERIFY(driver.turn.has_value());
        QCOMPARE(driver.withdrawn.size(), 1);
        QVERIFY(!driver.client().answerQuestion(driver.withdrawn.first(), QStringLiteral("decline")));
    }

    void page()
    {
        AgentDriver driver;
        begin(driver, "questionurl");
        driver.prompt(QStringLiteral("login"));
        QTRY_COMPARE(driver.questions.size(), 1);
        QCOMPARE(driver.questions.first().url, QStringLiteral("https://example.org/login"));
        QVERIFY(driver.client().answerQuestion(driver.questions.first().requestId, QStringLiteral("accept")));
        QTRY_VERIFY(driver.turn.has_value());
        QCOMPARE(driver.text(), QStringLiteral("{\"action\":\"accept\"}"));
    }

    void pageWasCompleted()
    {
        AgentDriver driver;
        begin(driver, "questionurl");
        driver.prompt(QStringLiteral("login, done"));
        QTRY_VERIFY(driver.turn.has_value());
        QCOMPARE(driver.questionsDone.size(), 1);
        QCOMPARE(driver.text(), QStringLiteral("{\"action\":\"accept\"}"));
    }
};

QTEST_GUILESS_MAIN(TestAcpQuestion)
#include "tst_acpquestion.moc"
