#include "views/task/texttab.h"

#include "views/common/controls.h"

#include <QBoxLayout>
#include <QPlainTextEdit>

namespace foundry::views {

namespace {

constexpr qsizetype textTabLongestLine = 20'000; // a line of a million characters would freeze the layout

QString withShortLines(const QString &text)
{
    qsizetype start = 0;
    bool fine = true;
    for (qsizetype end = text.indexOf(QLatin1Char('\n')); fine && start <= text.size(); end = text.indexOf(QLatin1Char('\n'), start)) {
        const qsizetype stop = end < 0 ? text.size() : end;
        fine = stop - start <= textTabLongestLine;
        start = stop + 1;
    }
    if (fine)
        return text;
    QString out;
    for (const QStringView line : QStringView(text).split(QLatin1Char('\n'))) {
        for (qsizetype at = 0; at == 0 || at < line.size(); at += textTabLongestLine)
            out.append(line.mid(at, textTabLongestLine)).append(QLatin1Char('\n'));
    }
    return out;
}

} // namespace

TextTab::TextTab(ThemeProvider *theme, const QString &title, QWidget *parent)
    : QWidget(parent)
    , m_theme(theme)
{
    auto *page = new QVBoxLayout(this);
    page->setContentsMargins(0, 0, 0, 0);
    page->setSpacing(0);
    auto *bar = new QHBoxLayout;
    bar->setContentsMargins(16, 10, 16, 10);
    auto *name = new Label(theme, TextStyle::ListSemiBold, &Colors::text, title.section(QLatin1Char('\n'), 0, 0), this);
    name->setElided(true);
    bar->addWidget(name, 1);
    m_state = new Label(theme, TextStyle::Small, &Colors::textFaint, {}, this);
    bar->addWidget(m_state);
    page->addLayout(bar);
    page->addWidget(new Hairline(theme, Qt::Horizontal, this));
    m_text = new QPlainTextEdit(this);
    m_text->setReadOnly(true);
    m_text->setFrameShape(QFrame::NoFrame);
    m_text->setLineWrapMode(QPlainTextEdit::NoWrap);
    m_text->setUndoRedoEnabled(false);
    m_text->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    m_text->document()->setDocumentMargin(16);
    m_text->setAccessibleName(title);
    page->addWidget(m_text, 1);
    setFocusProxy(m_text);
    connect(theme, &ThemeProvider::changed, this, &TextTab::refresh);
    refresh();
}

void TextTab::refresh()
{
    m_text->setFont(m_theme->font(TextStyle::MonoSmall));
    QPalette colors = m_theme->theme().palette();
    colors.setColor(QPalette::Base, m_theme->colors().window);
    m_text->setPalette(colors);
}

void TextTab::setLoading(const QString &why)
{
    m_state->setText(tr("Loading…"));
    if (!why.isEmpty() && m_text->document()->isEmpty())
        m_text->setPlainText(why);
}

void TextTab::setText(const Result<QString> &text)
{
    if (!text.ok()) {
        m_state->setText(tr("Could not be read"));
        m_text->setPlainText(text.error().message + QLatin1Char('\n') + text.error().action);
        return;
    }
    m_state->setText(text.value().isEmpty() ? tr("Empty") : QString());
    m_text->setPlainText(withShortLines(text.value()));
}

} // namespace foundry::views
