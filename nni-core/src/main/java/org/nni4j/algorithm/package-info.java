/** What must an algorithm provide? The contract every algorithm meets, found by ServiceLoader. */
@NullMarked
package org.nni4j.algorithm;

import org.jspecify.annotations.NullMarked;
