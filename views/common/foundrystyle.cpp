#include "views/common/foundrystyle.h"

#include "views/common/controlpainting.h"
#include "views/common/themeprovider.h"

#include <QAbstractItemView>
#include <QAbstractScrollArea>
#include <QLineEdit>
#include <QPainter>
#include <QPushButton>
#include <QScrollBar>
#include <QStyleOption>
#include <QToolButton>

namespace foundry::views {

namespace {

constexpr int styleScrollBarExtent = 10;
constexpr int styleThumbMinimum = 32;

} // namespace

FoundryStyle::FoundryStyle(const ThemeProvider *theme)
    : QProxyStyle(QStringLiteral("Fusion"))
    , m_theme(theme)
{
}

void FoundryStyle::drawPrimitive(PrimitiveElement element, const QStyleOption *option, QPainter *painter,
    const QWidget *widget) const
{
    switch (element) {
    case PE_PanelButtonCommand:
        paintPushButton(painter, *m_theme, *option, widget);
        return;
    case PE_PanelButtonTool:
        paintToolButton(painter, *m_theme, *option);
        return;
    case PE_FrameFocusRect:
        if (option->state & State_KeyboardFocusChange)
            paintFocusRing(painter, *m_theme, option->rect, Space::radius - 2);
        return;
    case PE_PanelLineEdit:
        if (const auto *frame = qstyleoption_cast<const QStyleOptionFrame *>(option); frame && frame->lineWidth > 0)
            paintFieldFrame(painter, *m_theme, *option);
        return;
    case PE_Frame:
        if (widget && widget->property("field").toBool())
            paintFieldFrame(painter, *m_theme, *option);
        return;
    case PE_IndicatorCheckBox:
        paintCheckBox(painter, *m_theme, *option, false);
        return;
    case PE_IndicatorRadioButton:
        paintCheckBox(painter, *m_theme, *option, true);
        return;
    case PE_PanelMenu:
    case PE_PanelTipLabel:
        paintMenuPanel(painter, *m_theme, option->rect);
        return;
    case PE_FrameMenu:
        return;
    case PE_IndicatorArrowDown:
    case PE_IndicatorArrowUp:
    case PE_IndicatorArrowLeft:
    case PE_IndicatorArrowRight: {
        const Icon icon = element == PE_IndicatorArrowDown ? Icon::ChevronDown
            : element == PE_IndicatorArrowUp               ? Icon::ChevronUp
            : element == PE_IndicatorArrowLeft             ? Icon::ChevronLeft
                                                           : Icon::ChevronRight;
        m_theme->icons().paint(painter, option->rect, icon, m_theme->colors().textFaint);
        return;
    }
    default:
        QProxyStyle::drawPrimitive(element, option, painter, widget);
    }
}

void FoundryStyle::drawControl(ControlElement element, const QStyleOption *option, QPainter *painter,
    const QWidget *widget) const
{
    switch (element) {
    case CE_PushButtonBevel:
        paintPushButton(painter, *m_theme, *option, widget);
        return;
    case CE_PushButton:
        if (const auto *button = qstyleoption_cast<const QStyleOptionButton *>(option)) {
            paintPushButton(painter, *m_theme, *button, widget);
            paintPushButtonLabel(painter, *m_theme, *button, widget);
            return;
        }
        break;
    case CE_ComboBoxLabel:
        if (const auto *box = qstyleoption_cast<const QStyleOptionComboBox *>(option)) {
            paintComboBoxLabel(painter, *m_theme, *box);
            return;
        }
        break;
    case CE_MenuItem:
        if (const auto *item = qstyleoption_cast<const QStyleOptionMenuItem *>(option)) {
            paintMenuItem(painter, *m_theme, *item);
            return;
        }
        break;
    case CE_MenuEmptyArea:
        painter->fillRect(option->rect, m_theme->colors().popover);
        return;
    case CE_ProgressBar:
        if (const auto *bar = qstyleoption_cast<const QStyleOptionProgressBar *>(option)) {
            paintProgressBar(painter, *m_theme, *bar);
            return;
        }
        break;
    case CE_Splitter:
        painter->fillRect(option->rect, m_theme->colors().hairline);
        return;
    default:
        break;
    }
    QProxyStyle::drawControl(element, option, painter, widget);
}

void FoundryStyle::drawComplexControl(ComplexControl control, const QStyleOptionComplex *option, QPainter *painter,
    const QWidget *widget) const
{
    if (control == CC_ComboBox) {
        if (const auto *box = qstyleoption_cast<const QStyleOptionComboBox *>(option)) {
            paintComboBox(painter, *m_theme, *box);
            return;
        }
    }
    if (control == CC_ScrollBar) {
        if (const auto *slider = qstyleoption_cast<const QStyleOptionSlider *>(option)) {
            paintScrollBar(painter, *m_theme, *slider, subControlRect(control, option, SC_ScrollBarSlider, widget));
            return;
        }
    }
    QProxyStyle::drawComplexControl(control, option, painter, widget);
}

QRect FoundryStyle::subControlRect(ComplexControl control, const QStyleOptionComplex *option, SubControl part,
    const QWidget *widget) const
{
    if (control == CC_ScrollBar) {
        // No arrows: the groove is the whole bar.
        const auto *slider = qstyleoption_cast<const QStyleOptionSlider *>(option);
        if (!slider)
            return {};
        const bool vertical = slider->orientation == Qt::Vertical;
        const int length = vertical ? option->rect.height() : option->rect.width();
        const qint64 range = qint64(slider->maximum) - slider->minimum;
        int thumb = length;
        if (range > 0) {
            thumb = int(qint64(length) * slider->pageStep / (range + slider->pageStep));
            thumb = qBound(qMin(styleThumbMinimum, length / 2), thumb, length);
        }
        const int at = sliderPositionFromValue(slider->minimum, slider->maximum, slider->sliderPosition, length - thumb,
            slider->upsideDown);
        const auto piece = [&](int from, int to) {
            const QRect rect = vertical ? QRect(0, from, option->rect.width(), to - from)
                                        : QRect(from, 0, to - from, option->rect.height());
            return visualRect(option->direction, option->rect, rect.translated(option->rect.topLeft()));
        };
        switch (part) {
        case SC_ScrollBarSlider:
            return piece(at, at + thumb);
        case SC_ScrollBarGroove:
            return option->rect;
        case SC_ScrollBarSubPage:
            return piece(0, at);
        case SC_ScrollBarAddPage:
            return piece(at + thumb, length);
        default:
            return {};
        }
    }
    if (control == CC_ComboBox && part == SC_ComboBoxEditField)
        return option->rect.adjusted(8, 1, -30, -1);
    return QProxyStyle::subControlRect(control, option, part, widget);
}

QRect FoundryStyle::subElementRect(SubElement element, const QStyleOption *option, const QWidget *widget) const
{
    if (element == SE_LineEditContents)
        return QProxyStyle::subElementRect(element, option, widget).adjusted(6, 0, -6, 0);
    return QProxyStyle::subElementRect(element, option, widget);
}

QSize FoundryStyle::sizeFromContents(ContentsType type, const QStyleOption *option, const QSize &size,
    const QWidget *widget) const
{
    switch (type) {
    case CT_PushButton: {
        const auto *button = qstyleoption_cast<const QStyleOptionButton *>(option);
        int width = 24;
        if (button) {
            width += button->fontMetrics.size(Qt::TextShowMnemonic, button->text).width();
            if (!button->icon.isNull())
                width += Space::icon + (button->text.isEmpty() ? 0 : 6);
        }
        const bool small = widget && widget->property("small").toBool();
        return {width, small ? 24 : Space::row};
    }
    case CT_LineEdit:
        return {size.width() + 16, qMax(size.height() + 10, Space::row)};
    case CT_ComboBox: {
        const QSize base = QProxyStyle::sizeFromContents(type, option, size, widget);
        return {base.width() + 16, Space::row};
    }
    case CT_MenuItem: {
        const auto *item = qstyleoption_cast<const QStyleOptionMenuItem *>(option);
        if (item && item->menuItemType == QStyleOptionMenuItem::Separator)
            return {size.width(), 9};
        const int shortcut = item && item->text.contains(QLatin1Char('\t')) ? Space::l : 0;
        return {size.width() + 2 * 12 + Space::icon + 8 + shortcut + Space::s, 28};
    }
    default:
        return QProxyStyle::sizeFromContents(type, option, size, widget);
    }
}

int FoundryStyle::pixelMetric(PixelMetric metric, const QStyleOption *option, const QWidget *widget) const
{
    switch (metric) {
    case PM_ScrollBarExtent:
        return styleScrollBarExtent;
    case PM_ScrollBarSliderMin:
        return styleThumbMinimum;
    case PM_ScrollView_ScrollBarOverlap:
    case PM_ScrollView_ScrollBarSpacing:
        return 0;
    case PM_SplitterWidth:
        return 1;
    case PM_SmallIconSize:
    case PM_ButtonIconSize:
    case PM_ToolBarIconSize:
        return Space::icon;
    case PM_ButtonShiftHorizontal:
    case PM_ButtonShiftVertical:
        return 0;
    case PM_MenuPanelWidth:
    case PM_MenuHMargin:
        return 0;
    case PM_MenuVMargin:
        return 4;
    case PM_ToolTipLabelFrameWidth:
        return 6;
    case PM_IndicatorWidth:
    case PM_IndicatorHeight:
    case PM_ExclusiveIndicatorWidth:
    case PM_ExclusiveIndicatorHeight:
        return 16;
    case PM_LayoutHorizontalSpacing:
    case PM_LayoutVerticalSpacing:
        return Space::s;
    case PM_DefaultFrameWidth:
        if (widget && widget->property("field").toBool())
            return 1;
        return QProxyStyle::pixelMetric(metric, option, widget);
    default:
        return QProxyStyle::pixelMetric(metric, option, widget);
    }
}

int FoundryStyle::styleHint(StyleHint hint, const QStyleOption *option, const QWidget *widget,
    QStyleHintReturn *returned) const
{
    switch (hint) {
    case SH_EtchDisabledText:
    case SH_DitherDisabledText:
    case SH_ComboBox_Popup:
    case SH_UnderlineShortcut:
        return 0;
    case SH_Menu_MouseTracking:
    case SH_ScrollBar_MiddleClickAbsolutePosition:
        return 1;
    case SH_Widget_Animation_Duration:
        return m_theme->reducedMotion() ? 0 : QProxyStyle::styleHint(hint, option, widget, returned);
    case SH_ToolTip_WakeUpDelay:
        return 500;
    default:
        return QProxyStyle::styleHint(hint, option, widget, returned);
    }
}

void FoundryStyle::polish(QWidget *widget)
{
    QProxyStyle::polish(widget);
    if (qobject_cast<QPushButton *>(widget) || qobject_cast<QToolButton *>(widget) || qobject_cast<QScrollBar *>(widget))
        widget->setAttribute(Qt::WA_Hover);
}

} // namespace foundry::views
