// KDE Syntax-Highlighting as this machine has it: the distribution's own, or the private prefix whose parts come from
// three packages. A smoke test that the parts fit: the languages are there, the engine understands the grammars.
#include <KSyntaxHighlighting/AbstractHighlighter>
#include <KSyntaxHighlighting/Definition>
#include <KSyntaxHighlighting/Format>
#include <KSyntaxHighlighting/Repository>
#include <KSyntaxHighlighting/State>
#include <KSyntaxHighlighting/Theme>

#include <QStringList>
#include <QTest>

namespace {

class Collector : public KSyntaxHighlighting::AbstractHighlighter {
public:
    QStringList run(const QStringList &lines)
    {
        KSyntaxHighlighting::State state;
        QStringList styles;
        for (const QString &line : lines) {
            m_line.clear();
            state = highlightLine(line, state);
            styles << m_line.join(QLatin1Char(' '));
        }
        return styles;
    }

protected:
    void applyFormat(int offset, int length, const KSyntaxHighlighting::Format &format) override
    {
        Q_UNUSED(offset)
        if (length > 0 && format.textStyle() != KSyntaxHighlighting::Theme::Normal) {
            m_line << QString::number(int(format.textStyle()));
        }
    }

private:
    QStringList m_line;
};

} // namespace

class TestSyntax : public QObject {
    Q_OBJECT

public:
    TestSyntax()
    {
#ifdef FOUNDRY_SYNTAX_DEFINITIONS
        m_repository.addCustomSearchPath(QStringLiteral(FOUNDRY_SYNTAX_DEFINITIONS));
#endif
    }

private Q_SLOTS:
    void fileNameFindsItsLanguage_data()
    {
        QTest::addColumn<QString>("file");
        QTest::addColumn<QString>("language");
        const std::pair<const char *, const char *> all[] = {
            {"a.cpp", "C++"},   {"a.rs", "Rust"},    {"a.ts", "TypeScript"}, {"a.tsx", "TypeScript React (TSX)"},
            {"a.py", "Python"}, {".bashrc", "Bash"}, {"a.json", "JSON"},     {"a.md", "Markdown"},
            {"a.go", "Go"},     {"a.patch", "Diff"}, {"a.yaml", "YAML"},     {"Makefile", "Makefile"},
            {"a.html", "HTML"}, {"a.css", "CSS"},    {"a.toml", "TOML"}};
        for (const auto &[file, language] : all) {
            QTest::newRow(file) << QString::fromLatin1(file) << QString::fromLatin1(language);
        }
    }

    void fileNameFindsItsLanguage()
    {
        QFETCH(QString, file);
        QFETCH(QString, language);
        QCOMPARE(m_repository.definitionForFileName(file).name(), language);
    }

    void nestedBlockCommentsAreFollowed()
    {
        // Rust's block comments nest; the state is carried from line to line.
        Collector collector;
        collector.setDefinition(m_repository.definitionForName(QStringLiteral("Rust")));
        const QString comment = QString::number(int(KSyntaxHighlighting::Theme::Comment));
        const QStringList styles =
            collector.run({QStringLiteral("/* a /* b"), QStringLiteral("*/ still"), QStringLiteral("*/ fn f() {}")});
        QVERIFY(styles.at(1).startsWith(comment));
        QVERIFY2(!styles.at(1).contains(QString::number(int(KSyntaxHighlighting::Theme::Keyword)) + QLatin1Char(' ')),
                 qPrintable(styles.at(1)));
        QVERIFY2(styles.at(2).startsWith(comment) && styles.at(2).split(QLatin1Char(' ')).size() > 1,
                 qPrintable(styles.at(2)));
    }

    void bothThemesAreThere()
    {
        QVERIFY(m_repository.defaultTheme(KSyntaxHighlighting::Repository::DarkTheme).isValid());
        QVERIFY(m_repository.defaultTheme(KSyntaxHighlighting::Repository::LightTheme).isValid());
    }

private:
    KSyntaxHighlighting::Repository m_repository;
};

QTEST_GUILESS_MAIN(TestSyntax)
#include "tst_syntax.moc"
