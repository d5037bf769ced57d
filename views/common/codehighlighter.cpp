#include "views/common/codehighlighter.h"

#include <KSyntaxHighlighting/abstracthighlighter.h>
#include <KSyntaxHighlighting/definition.h>
#include <KSyntaxHighlighting/format.h>
#include <KSyntaxHighlighting/repository.h>
#include <KSyntaxHighlighting/state.h>
#include <KSyntaxHighlighting/theme.h>

#include <algorithm>
#include <memory>

namespace foundry::views {

namespace {

constexpr qsizetype codeLongestLine = 4000; // characters; longer lines (minified files) stay plain
constexpr qsizetype codeMostPlaces = 600;

struct CodeAlias {
    QLatin1StringView word;
    QLatin1StringView file;
};

// Words after a fence that are neither a grammar's name nor a file suffix.
constexpr CodeAlias codeAliases[] = {{QLatin1StringView("shell"), QLatin1StringView("a.sh")},
    {QLatin1StringView("console"), QLatin1StringView("a.sh")}, {QLatin1StringView("golang"), QLatin1StringView("a.go")},
    {QLatin1StringView("rust"), QLatin1StringView("a.rs")}, {QLatin1StringView("python"), QLatin1StringView("a.py")},
    {QLatin1StringView("python3"), QLatin1StringView("a.py")}, {QLatin1StringView("node"), QLatin1StringView("a.js")},
    {QLatin1StringView("docker"), QLatin1StringView("Dockerfile")},
    {QLatin1StringView("make"), QLatin1StringView("Makefile")}, {QLatin1StringView("c++"), QLatin1StringView("a.cpp")},
    {QLatin1StringView("csharp"), QLatin1StringView("a.cs")}, {QLatin1StringView("jsonc"), QLatin1StringView("a.json")}};

class CodeCollector : public KSyntaxHighlighting::AbstractHighlighter {
public:
    QList<QTextLayout::FormatRange> run(const QString &text)
    {
        KSyntaxHighlighting::State state;
        for (qsizetype at = 0; at <= text.size();) {
            qsizetype end = at;
            while (end < text.size() && text.at(end) != QLatin1Char('\n') && text.at(end) != QChar(QChar::LineSeparator))
                ++end;
            m_lineStart = int(at);
            if (end - at <= codeLongestLine)
                state = highlightLine(QStringView(text).mid(at, end - at), state);
            at = end + 1;
        }
        return std::move(m_ranges);
    }

protected:
    void applyFormat(int offset, int length, const KSyntaxHighlighting::Format &format) override
    {
        if (length == 0 || !format.isValid() || format.isDefaultTextStyle(theme()))
            return;
        QTextCharFormat &shown = m_formats[format.id()];
        if (shown.isEmpty()) {
            if (format.hasTextColor(theme()))
                shown.setForeground(format.textColor(theme()));
            if (format.isItalic(theme()))
                shown.setFontItalic(true);
            if (format.isBold(theme()))
                shown.setFontWeight(QFont::DemiBold);
        }
        if (shown.isEmpty())
            return;
        if (!m_ranges.isEmpty() && m_ranges.last().start + m_ranges.last().length == m_lineStart + offset
            && m_ranges.last().format == shown) {
            m_ranges.last().length += length;
            return;
        }
        QTextLayout::FormatRange range;
        range.start = m_lineStart + offset;
        range.length = length;
        range.format = shown;
        m_ranges.append(range);
    }

private:
    QList<QTextLayout::FormatRange> m_ranges;
    QHash<int, QTextCharFormat> m_formats;
    int m_lineStart = 0;
};

} // namespace

// Everything of the engine lives here, on the worker thread: it is not made for two threads.
class CodeWorker : public QObject {
public:
    QList<QTextLayout::FormatRange> highlight(const QString &language, const QString &text, bool dark)
    {
        if (!m_repository) {
            m_repository = std::make_unique<KSyntaxHighlighting::Repository>();
#ifdef FOUNDRY_SYNTAX_DEFINITIONS
            m_repository->addCustomSearchPath(QStringLiteral(FOUNDRY_SYNTAX_DEFINITIONS));
#endif
        }
        const KSyntaxHighlighting::Definition definition = definitionFor(language);
        if (!definition.isValid())
            return {};
        CodeCollector collector;
        collector.setDefinition(definition);
        collector.setTheme(themeFor(dark));
        return collector.run(text);
    }

private:
    KSyntaxHighlighting::Theme themeFor(bool dark) const
    {
        const auto theme = m_repository->theme(dark ? QStringLiteral("GitHub Dark") : QStringLiteral("GitHub Light"));
        if (theme.isValid())
            return theme;
        return m_repository->defaultTheme(dark ? KSyntaxHighlighting::Repository::DarkTheme
                                               : KSyntaxHighlighting::Repository::LightTheme);
    }

    KSyntaxHighlighting::Definition definitionFor(const QString &language)
    {
        const auto known = m_definitions.constFind(language);
        if (known != m_definitions.constEnd())
            return *known;
        KSyntaxHighlighting::Definition found;
        if (language.contains(QLatin1Char('/')) || language.contains(QLatin1Char('.'))) {
            found = m_repository->definitionForFileName(language);
        } else {
            for (const CodeAlias &alias : codeAliases) {
                if (language.compare(alias.word, Qt::CaseInsensitive) == 0)
                    found = m_repository->definitionForFileName(QString(alias.file));
            }
            if (!found.isValid())
                found = m_repository->definitionForName(language);
            if (!found.isValid())
                found = m_repository->definitionForFileName(QStringLiteral("a.") + language.toLower());
            if (!found.isValid())
                found = m_repository->definitionForFileName(language);
        }
        m_definitions.insert(language, found);
        return found;
    }

    std::unique_ptr<KSyntaxHighlighting::Repository> m_repository;
    QHash<QString, KSyntaxHighlighting::Definition> m_definitions;
};

CodeHighlighter::CodeHighlighter(QObject *parent)
    : QObject(parent)
{
    m_thread.setObjectName(QStringLiteral("code-highlighter"));
}

CodeHighlighter::~CodeHighlighter()
{
    if (!m_worker)
        return;
    // The worker answers into this object, so it has to be done before it goes. What waits in its queue is dropped; what
    // runs is one bounded block.
    m_thread.requestInterruption();
    m_thread.quit();
    m_thread.wait();
}

void CodeHighlighter::setDark(bool dark)
{
    if (m_dark == dark)
        return;
    m_dark = dark;
    ++m_generation;
    m_places.clear();
}

QList<QTextLayout::FormatRange> CodeHighlighter::formats(const QString &slot, const QString &language,
    const QString &text)
{
    if (language.isEmpty() || text.isEmpty())
        return {};
    Place &place = m_places[slot];
    place.used = ++m_clock;
    if (place.language == language && place.shownText == text)
        return place.formats;
    if (place.language != language) {
        place.language = language;
        place.shownText.clear();
        place.formats.clear();
    }
    place.wantedText = text;
    if (!place.asked)
        ask(slot, place);

    // Until the answer comes, the colours of the common beginning are right but for the last word.
    const qsizetype limit = std::min(text.size(), place.shownText.size());
    qsizetype common = 0;
    while (common < limit && text.at(common) == place.shownText.at(common))
        ++common;
    QList<QTextLayout::FormatRange> known;
    for (const QTextLayout::FormatRange &range : place.formats) {
        if (range.start + range.length > common)
            break;
        known.append(range);
    }
    trim();
    return known;
}

void CodeHighlighter::forget(const QString &slotPrefix)
{
    m_places.removeIf([&](QHash<QString, Place>::iterator it) { return it.key().startsWith(slotPrefix); });
}

void CodeHighlighter::ask(const QString &slot, Place &place)
{
    if (!m_worker) {
        m_worker = new CodeWorker;
        m_worker->moveToThread(&m_thread);
        connect(&m_thread, &QThread::finished, m_worker, &QObject::deleteLater);
        m_thread.start(QThread::LowPriority);
    }
    place.asked = true;
    QMetaObject::invokeMethod(
        m_worker,
        [this, worker = m_worker, slot, language = place.language, text = place.wantedText, dark = m_dark,
            generation = m_generation] {
            if (worker->thread()->isInterruptionRequested())
                return;
            const auto formats = worker->highlight(language, text, dark);
            QMetaObject::invokeMethod(
                this, [this, slot, generation, text, formats] { answered(slot, generation, text, formats); },
                Qt::QueuedConnection);
        },
        Qt::QueuedConnection);
}

void CodeHighlighter::answered(const QString &slot, int generation, const QString &text,
    const QList<QTextLayout::FormatRange> &formats)
{
    const auto it = m_places.find(slot);
    if (generation != m_generation || it == m_places.end())
        return;
    it->asked = false;
    it->shownText = text;
    it->formats = formats;
    if (it->wantedText != text)
        ask(slot, *it);
    Q_EMIT ready(slot);
}

void CodeHighlighter::trim()
{
    if (m_places.size() <= codeMostPlaces)
        return;
    QList<quint64> ages;
    ages.reserve(m_places.size());
    for (const Place &place : std::as_const(m_places))
        ages.append(place.used);
    auto middle = ages.begin() + ages.size() / 2;
    std::nth_element(ages.begin(), middle, ages.end());
    const quint64 oldest = *middle;
    m_places.removeIf([&](QHash<QString, Place>::iterator it) { return it.value().used < oldest && !it.value().asked; });
}

} // namespace foundry::views
